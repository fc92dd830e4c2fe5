// docs/configs.md: every key of a run config with meaning, unit and default, made from the schemas that check them.
import { configJsonSchema, configKinds, sectionOf } from '../../backend/protocol/config/index.ts';
import { otherMethods, unitOf } from './config-schema.mjs';

const opening = `# Run configs

<!-- Made by npm run generate from backend/protocol/config/; change the descriptions there. -->

A run is described by a file \`NAME.dmd.json\`: JSON, in which comments and trailing commas are allowed. Only \`kind\` must be
there (and \`network\` for a teacher, \`vae\` and \`unet\` for a text-to-image teacher); every other key has a default, which is the paper's value where it names one. Relative
paths are taken from the file's folder. Unknown keys, impossible values and values that do not go together are refused
before anything is written.

\`\`\`jsonc
{
  // The built-in teacher, for a thousand updates.
  "kind": "distill",
  "teacher": "builtin:scenes",
  "iterations": 1000,
  "generator": { "lr": 1e-4, "warmup": 50 },
  "regression": { "lambda": 2, "pairs": { "count": 1000 } }
}
\`\`\`

Start it with \`dmd distill NAME.dmd.json\`, or in the editor with *Start Run* above the file. \`--set generator.lr=1e-5\`
changes single keys, [Training runs](training.md) says what a run leaves in its folder.

In the editor, **DMD: New Run Config...** begins a file from a preset; keys and values complete themselves, hovering over a
key says what it means, and mistakes are shown while typing, also those in what the config names, such as weights that are
not there.

## In tasks.json

\`\`\`jsonc
{
  "version": "2.0.0",
  "tasks": [
    {
      "type": "dmd",
      "label": "distill with a small learning rate",
      "config": "my-run.dmd.json",
      "set": ["generator.lr=1e-5"],
      "problemMatcher": "$dmd"
    }
  ]
}
\`\`\`

Instead of \`config\` a task takes \`preset\` (with \`kind\`: \`distill\` or \`teach\`) or \`resume\`, the folder of a run that goes on.
`;

const titles = {
  distill: 'kind: "distill"',
  teach: 'kind: "teach"',
  'teach-autoencoder': 'kind: "teach-autoencoder"',
  'teach-text-encoder': 'kind: "teach-text-encoder"',
  'teach-text': 'kind: "teach-text"',
};

export function configReference() {
  const chapters = configKinds.flatMap((kind) =>
    kind === 'distill' ? [chapter(kind), ...otherMethods().map(methodChapter)] : [chapter(kind)],
  );
  return [opening, ...chapters].join('\n');
}

/** A method's own keys: those that every distillation has are in the chapter before. */
function methodChapter(method) {
  const { title, keys } = sectionOf(method);
  const { properties } = configJsonSchema('distill', method);
  const own = Object.fromEntries(Object.keys(keys).map((key) => [key, properties[key]]));
  const intro = `${title} In place of the sections of \`dmd\` it has these, beside the keys that every distillation has.`;
  return [`## kind: "distill", method: "${method}"`, '', intro, '', ...tables({ properties: own }, [])].join('\n');
}

function chapter(kind) {
  const schema = configJsonSchema(kind);
  return [`## ${titles[kind]}`, '', `${schema.properties.kind.description}`, '', ...tables(schema, [])].join('\n');
}

/** The keys of an object that hold values, then one section for each that holds keys. */
function tables(schema, path) {
  const entries = Object.entries(schema.properties).filter(([key]) => key !== 'kind' && key !== '$schema');
  const values = entries.filter(([, value]) => !value.properties);
  const objects = entries.filter(([, value]) => value.properties);
  const required = schema.required ?? [];
  const head = ['| Key | Meaning | Unit | Default |', '| --- | --- | --- | --- |'];
  const rows = values.map(([key, value]) => row(key, value, required.includes(key) && value.default === undefined));
  return [
    ...(rows.length > 0 ? [...head, ...rows, ''] : []),
    ...objects.flatMap(([key, value]) => {
      const at = [...path, key];
      return [`### ${at.join('.')}`, '', value.description, '', ...tables(value, at)];
    }),
  ];
}

function row(key, schema, required) {
  const [, meaning, note] = /^(.*?)(?:[.;]? Default:? (.*?)\.)?$/s.exec(schema.description);
  const choices = schema.enum?.map((word, i) => `\`${word}\`: ${schema.enumDescriptions[i]}`) ?? [];
  const fallback = required ? '(must be given)' : (note ?? '');
  const cells = [`\`${key}\``, [sentence(meaning), ...choices].join('<br>'), unitOf(schema), fallback];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

function sentence(text) {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
