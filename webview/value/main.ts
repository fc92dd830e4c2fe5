/** The page of a value panel: puts its parts together. */
import '../shared/theme.css';
import '../shared/heatmaps/heatmaps.css';
import './value.css';
import { valueInitialSchema } from '../../backend/protocol/panels/value-texts.ts';
import { onTheme } from '../shared/colours.ts';
import { connectHost } from '../shared/host.ts';
import { readInitial } from '../shared/initial.ts';
import { ValuePage } from './value-page.ts';

const { texts, expression } = readInitial(valueInitialSchema);
const page = new ValuePage(connectHost(), document.getElementById('root')!, texts, expression);
onTheme(() => page.redraw());
void page.start();
