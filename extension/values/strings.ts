/** An expression's text without what stands in quotes or in comments. */

const quoted = /"""[\s\S]*?"""|'''[\s\S]*?'''|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'/g;

export function withoutStrings(expression: string, comments: RegExp): string {
  return expression.replace(quoted, '""').replace(comments, '');
}
