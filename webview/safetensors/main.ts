/** The page of a safetensors file: puts its parts together. */
import '../shared/theme.css';
import '../shared/heatmaps/heatmaps.css';
import '../value/value.css';
import './safetensors.css';
import { safetensorsInitialSchema } from '../../backend/protocol/panels/safetensors.ts';
import { onTheme } from '../shared/colours.ts';
import { connectHost } from '../shared/host.ts';
import { readInitial } from '../shared/initial.ts';
import { SafetensorsPage } from './page.ts';

const { texts, file } = readInitial(safetensorsInitialSchema);
const page = new SafetensorsPage(connectHost(), document.getElementById('root')!, texts, file);
onTheme(() => page.redraw());
void page.start();
