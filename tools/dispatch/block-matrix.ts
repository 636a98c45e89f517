// Solves linear equations whose unknowns are pairs, one for each bus, and whose matrix has blocks of two by two where buses are
// connected. Eliminated by least degree, as a grid hardly fills in: nearly as many steps as it has branches.

import { infinite, isReal } from "./real.js";

/** [a, b, c, d] of ((a, b), (c, d)) */
export type Block = [number, number, number, number];

/** Rows of blocks by column; each row has its diagonal, and a block at (i, j) has one at (j, i). */
export type BlockMatrix = Map<number, Block>[];

/**
 * The order in which the rows of a matrix of this shape are eliminated, and the shape's neighbours while that is done. Of equal
 * degrees the lower index comes first, so that every machine takes the same order.
 */
export function eliminationOrder(neighbours: readonly ReadonlySet<number>[]): readonly number[] {
  const open = neighbours.map((set) => new Set(set));
  const byDegree: Set<number>[] = [];
  const put = (row: number) => {
    const degree = open[row]!.size;
    while (byDegree.length <= degree) byDegree.push(new Set());
    byDegree[degree]!.add(row);
  };
  for (const row of open.keys()) put(row);
  const order: number[] = [];
  while (order.length < open.length) {
    const row = least(byDegree.find(({ size }) => size > 0)!);
    byDegree[open[row]!.size]!.delete(row);
    order.push(row);
    const around = [...open[row]!];
    for (const other of around) {
      const set = open[other]!;
      byDegree[set.size]!.delete(other);
      set.delete(row);
      for (const third of around) if (third !== other) set.add(third);
      put(other);
    }
  }
  return order;
}

function least(rows: ReadonlySet<number>): number {
  let first = infinite;
  for (const row of rows) if (row < first) first = row;
  return first;
}

/** Solves in place: the matrix is used up, `right` holds the solution, two numbers a row. False where the matrix is singular. */
export function solve(matrix: BlockMatrix, right: number[], order: readonly number[]): boolean {
  const place = order.map(() => 0);
  for (const [step, row] of order.entries()) place[row] = step;
  for (const [step, row] of order.entries()) {
    const pivot = inverse(matrix[row]!.get(row)!);
    if (pivot === undefined) return false;
    for (const other of [...matrix[row]!.keys()]) {
      if (place[other]! <= step) continue;
      const factor = product(matrix[other]!.get(row)!, pivot);
      subtractRow(matrix, { from: other, row, factor, step, place });
      subtractFrom(right, other, factor, row);
    }
  }
  for (let step = order.length - 1; step >= 0; step -= 1) {
    const row = order[step]!;
    for (const [other, block] of matrix[row]!) if (place[other]! > step) subtractFrom(right, row, block, other);
    const [a, b, c, d] = inverse(matrix[row]!.get(row)!)!;
    const [x, y] = [right[2 * row]!, right[2 * row + 1]!];
    right[2 * row] = a * x + b * y;
    right[2 * row + 1] = c * x + d * y;
  }
  return true;
}

interface RowStep {
  readonly from: number;
  readonly row: number;
  readonly factor: Block;
  readonly step: number;
  readonly place: readonly number[];
}

/** Takes `factor` times a row from another one, right of the eliminated columns. */
function subtractRow(matrix: BlockMatrix, { from, row, factor, step, place }: RowStep): void {
  const target = matrix[from]!;
  for (const [column, block] of matrix[row]!) {
    if (place[column]! <= step) continue;
    const [a, b, c, d] = product(factor, block);
    const old = target.get(column);
    if (old === undefined) target.set(column, [-a, -b, -c, -d]);
    else target.set(column, [old[0] - a, old[1] - b, old[2] - c, old[3] - d]);
  }
}

function subtractFrom(right: number[], target: number, [a, b, c, d]: Block, source: number): void {
  const [x, y] = [right[2 * source]!, right[2 * source + 1]!];
  right[2 * target] = right[2 * target]! - (a * x + b * y);
  right[2 * target + 1] = right[2 * target + 1]! - (c * x + d * y);
}

function product([a, b, c, d]: Block, [e, f, g, h]: Block): Block {
  return [a * e + b * g, a * f + b * h, c * e + d * g, c * f + d * h];
}

function inverse([a, b, c, d]: Block): Block | undefined {
  const determinant = a * d - b * c;
  if (determinant === 0 || !isReal(determinant)) return undefined;
  return [d / determinant, -b / determinant, -c / determinant, a / determinant];
}
