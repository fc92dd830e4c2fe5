/**
 * The ten shapes of "scenes" as signed distances (negative inside), no two equal up to rotation and size.
 *
 * Each shape is drawn in coordinates of its own choosing and then normalised by measurement: the origin is the centroid
 * and the farthest point lies at distance 1 ("reach"). So a scene's position is the shape's centre of mass, which the
 * checker can read off an image before it knows the class.
 */

/** Distance in some unit from (x, y) to the outline, negative inside; exact near the outline is enough. */
type Distance = (x: number, y: number) => number;

export interface Shape {
  readonly name: string;
  /** Distance in units of the reach, centroid at the origin. */
  readonly distance: Distance;
  /** Area in units of the squared reach. */
  readonly area: number;
  /** The angle after which the shape looks the same again; 0 when every angle does. */
  readonly period: number;
}

const disc: Distance = (x, y) => Math.sqrt(x * x + y * y) - 1;

const ring: Distance = (x, y) => Math.abs(Math.sqrt(x * x + y * y) - 0.76) - 0.24;

/** A box with half sides `a` and `b`. */
const box =
  (a: number, b: number): Distance =>
  (x, y) => {
    const dx = Math.abs(x) - a;
    const dy = Math.abs(y) - b;
    if (dx <= 0 || dy <= 0) return Math.max(dx, dy);
    return Math.sqrt(dx * dx + dy * dy);
  };

/** A star of `points` tips at radius 1 and notches at radius `inner`; cos(pi / points) makes the regular polygon. */
function star(points: number, inner: number): Distance {
  const sector = (2 * Math.PI) / points;
  const tipX = Float64Array.from({ length: points }, (_, k) => Math.cos(k * sector));
  const tipY = Float64Array.from({ length: points }, (_, k) => Math.sin(k * sector));
  const edgeX = inner * Math.cos(sector / 2) - 1;
  const edgeY = inner * Math.sin(sector / 2);
  const edgeLength2 = edgeX * edgeX + edgeY * edgeY;
  return (x, y) => {
    // Seen from the nearest tip, and mirrored, there is one edge left: from the tip (1, 0) to the notch.
    let px = Number.NEGATIVE_INFINITY;
    let py = 0;
    for (let k = 0; k < points; k++) {
      const along = x * tipX[k]! + y * tipY[k]!;
      if (along <= px) continue;
      px = along;
      py = y * tipX[k]! - x * tipY[k]!;
    }
    px -= 1;
    py = Math.abs(py);
    const along = Math.min(1, Math.max(0, (px * edgeX + py * edgeY) / edgeLength2));
    const dx = px - along * edgeX;
    const dy = py - along * edgeY;
    const distance = Math.sqrt(dx * dx + dy * dy);
    return px * edgeY - py * edgeX > 0 ? distance : -distance;
  };
}

function cross(thickness: number): Distance {
  const across = box(1, thickness);
  return (x, y) => Math.min(across(x, y), across(y, x));
}

/** A disc with a smaller disc bitten out of its side. */
const crescent: Distance = (x, y) => Math.max(disc(x, y), 0.72 - Math.sqrt((x - 0.48) ** 2 + y * y));

/** A square standing on its corner, with a half-disc on each of its upper sides. */
function heart(): Distance {
  const square = box(1, 1);
  return (x, y) => {
    const u = (x + y) * Math.SQRT1_2;
    const v = (x - y) * Math.SQRT1_2;
    return Math.min(square(u, v), disc(u - 1, v), disc(u, v + 1));
  };
}

const halfDisc: Distance = (x, y) => Math.max(disc(x, y), -y);

/** Measures area, centroid and reach on a fine anti-aliased grid and moves the shape to its normal place. */
function normalised(name: string, period: number, distance: Distance): Shape {
  const extent = 2.5;
  const cell = 0.02;
  const points: [x: number, y: number, weight: number][] = [];
  for (let x = cell / 2 - extent; x < extent; x += cell) {
    for (let y = cell / 2 - extent; y < extent; y += cell) {
      const weight = Math.min(1, 0.5 - distance(x, y) / cell);
      if (weight > 0) points.push([x, y, weight]);
    }
  }
  const total = points.reduce((sum, [, , weight]) => sum + weight, 0);
  const centreX = points.reduce((sum, [x, , weight]) => sum + x * weight, 0) / total;
  const centreY = points.reduce((sum, [, y, weight]) => sum + y * weight, 0) / total;
  const reach = Math.max(...points.map(([x, y]) => Math.hypot(x - centreX, y - centreY)));
  return {
    name,
    period,
    area: (total * cell * cell) / (reach * reach),
    distance: (x, y) => distance(x * reach + centreX, y * reach + centreY) / reach,
  };
}

/** The classes, by class id. */
export const shapes: readonly Shape[] = [
  normalised('disc', 0, disc),
  normalised('ring', 0, ring),
  normalised('square', Math.PI / 2, star(4, Math.SQRT1_2)),
  normalised('triangle', (2 * Math.PI) / 3, star(3, 0.5)),
  normalised('star', (2 * Math.PI) / 5, star(5, 0.42)),
  normalised('cross', Math.PI / 2, cross(0.32)),
  normalised('crescent', 2 * Math.PI, crescent),
  normalised('heart', 2 * Math.PI, heart()),
  normalised('bar', Math.PI, box(1, 0.3)),
  normalised('half-disc', 2 * Math.PI, halfDisc),
];

/** Where and how large a shape lies: centre and reach in pixels, rotation in radians. */
export interface Pose {
  x: number;
  y: number;
  reach: number;
  rotation: number;
}

/**
 * How much of each pixel the shape covers, in [0, 1]: a ramp of one pixel across the outline.
 * @param out size * size numbers, row by row; overwritten
 */
export function coverage(shape: Shape, { x, y, reach, rotation }: Pose, size: number, out: Float32Array): Float32Array {
  const cos = Math.cos(rotation) / reach;
  const sin = Math.sin(rotation) / reach;
  const far = reach + 1;
  const first = (centre: number) => Math.max(0, Math.floor(centre - far));
  const last = (centre: number) => Math.min(size, Math.ceil(centre + far));
  out.fill(0);
  for (let row = first(y); row < last(y); row++) {
    const dy = row + 0.5 - y;
    for (let column = first(x); column < last(x); column++) {
      const dx = column + 0.5 - x;
      if (dx * dx + dy * dy > far * far) continue;
      const distance = shape.distance(cos * dx + sin * dy, cos * dy - sin * dx) * reach;
      if (distance < 0.5) out[row * size + column] = Math.min(1, 0.5 - distance);
    }
  }
  return out;
}
