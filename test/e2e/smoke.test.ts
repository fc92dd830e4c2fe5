/** The packed extension, installed into the real editor, is there and answers. */
import { editorTest } from './driver/editor-test.ts';

editorTest('the extension starts and shows what there is to do', {}, async ({ workbench }) => {
  await workbench.run('DMD: Show Version and Devices');
  await workbench.page.locator('.terminal-wrapper.active').waitFor();
});
