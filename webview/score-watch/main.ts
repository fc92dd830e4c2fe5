/** The page of the score watch: puts its parts together. */
import '../shared/theme.css';
import '../shared/heatmaps/heatmaps.css';
import './score-watch.css';
import { scoreWatchInitialSchema } from '../../backend/protocol/panels/score-watch-texts.ts';
import { onTheme } from '../shared/colours.ts';
import { connectHost } from '../shared/host.ts';
import { readInitial } from '../shared/initial.ts';
import { ScoreWatchPage } from './page.ts';

const page = new ScoreWatchPage(
  connectHost(),
  document.getElementById('root')!,
  readInitial(scoreWatchInitialSchema).texts,
);
onTheme(() => page.redraw());
void page.start();
