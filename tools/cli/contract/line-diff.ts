// What differs between two texts, line by line: the longest lines in common stay (Hunt and McIlroy 1976), with some around each change.

export interface DiffLine {
  readonly sign: " " | "-" | "+";
  readonly text: string;
}

/** Cells of the table for what stands between the first and the last difference; beyond it all of that is shown as changed. */
const CELLS_MAX = 4_000_000;
const AROUND = 3;

/** The lines of both in their order; none where the texts are the same. */
export function diffLines(before: string, after: string): readonly DiffLine[] {
  const [left, right] = [before.split("\n"), after.split("\n")];
  let head = 0;
  while (head < left.length && head < right.length && left[head] === right[head]) head += 1;
  let tail = 0;
  const most = Math.min(left.length, right.length) - head;
  while (tail < most && left[left.length - 1 - tail] === right[right.length - 1 - tail]) tail += 1;
  const same = (text: string): DiffLine => ({ sign: " ", text });
  return [
    ...left.slice(0, head).map(same),
    ...middleOf(left.slice(head, left.length - tail), right.slice(head, right.length - tail)),
    ...left.slice(left.length - tail).map(same),
  ];
}

/** As they are printed: changes with three lines around each, and where what is the same is left out. */
export function diffText(lines: readonly DiffLine[]): string[] {
  const isShown = lines.map((_, index) =>
    lines.slice(Math.max(0, index - AROUND), index + AROUND + 1).some(({ sign }) => sign !== " "),
  );
  const shown: string[] = [];
  for (const [index, { sign, text }] of lines.entries()) {
    if (isShown[index]) shown.push(`${sign}${text === "" ? "" : ` ${text}`}`);
    else if (isShown[index - 1]) shown.push("...");
  }
  return shown;
}

function middleOf(left: readonly string[], right: readonly string[]): DiffLine[] {
  const width = right.length + 1;
  if (left.length * right.length > CELLS_MAX) {
    return [
      ...left.map((text) => ({ sign: "-", text }) as const),
      ...right.map((text) => ({ sign: "+", text }) as const),
    ];
  }
  // Lines in common of what is left of both from here on.
  const common = new Uint32Array((left.length + 1) * width);
  for (let row = left.length - 1; row >= 0; row -= 1) {
    for (let column = right.length - 1; column >= 0; column -= 1) {
      const isSame = left[row] === right[column];
      const skipped = Math.max(common[(row + 1) * width + column]!, common[row * width + column + 1]!);
      common[row * width + column] = isSame ? common[(row + 1) * width + column + 1]! + 1 : skipped;
    }
  }
  const lines: DiffLine[] = [];
  for (let row = 0, column = 0; row < left.length || column < right.length; ) {
    if (row < left.length && column < right.length && left[row] === right[column]) {
      lines.push({ sign: " ", text: left[row]! });
      row += 1;
      column += 1;
    } else if (column >= right.length || (row < left.length && takesLeft(common, width, row, column))) {
      lines.push({ sign: "-", text: left[row]! });
      row += 1;
    } else {
      lines.push({ sign: "+", text: right[column]! });
      column += 1;
    }
  }
  return lines;
}

function takesLeft(common: Uint32Array, width: number, row: number, column: number): boolean {
  return common[(row + 1) * width + column]! >= common[row * width + column + 1]!;
}
