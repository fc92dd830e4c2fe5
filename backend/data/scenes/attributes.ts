/** The continuous parameters of a scene as numbers a network can be asked for. */
import type { SceneParameters } from './scene.ts';

/** x, y, reach, shape colour, ground colour. */
export const attributeCount = 9;

/** Place and size scaled to about [-1, 1], then both colours. */
export function sceneAttributes(scene: SceneParameters): number[] {
  const place = [4 * (scene.x - 0.5), 4 * (scene.y - 0.5), (scene.reach - 0.32) / 0.07];
  return [...place, ...scene.shapeColour, ...scene.groundColour];
}
