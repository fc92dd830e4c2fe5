/** The generate panel's page. */
import '../shared/theme.css';
import './generate.css';
import { generateInitialSchema } from '../../backend/protocol/panels/generate-texts.ts';
import { connectHost } from '../shared/host.ts';
import { readInitial } from '../shared/initial.ts';
import { GeneratePage } from './page.ts';
import { textsOf } from './texts.ts';

const { texts } = readInitial(generateInitialSchema);
const page = new GeneratePage(connectHost(), textsOf(texts));
document.getElementById('root')!.append(page.element);
void page.start();
