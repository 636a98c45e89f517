// Which pages of a chip's NVS are erased for the values that are replaced in it (ESP-IDF, Non-Volatile Storage Library): pages of 126
// entries, written one after the other; a replaced value leaves its entries behind, and the page with the most of them is erased once
// a single page is free, its living entries first copied to that one.

const ENTRIES = 126;
const ENTRY_BYTES = 32;
/** A blob has its header and its index besides its bytes. */
const BLOB_ENTRIES = 2;
/** A longer blob lies in pieces, here of half a page. */
const PIECE_BYTES_MAX = 1_920;

interface Item {
  readonly key: string;
  readonly entries: number;
}

export class NvsPages {
  /** of each page */
  readonly erases: number[];
  private readonly pages: Item[][];
  private readonly living = new Map<string, Item>();
  private active = 0;

  constructor(pages: number) {
    this.pages = Array.from({ length: pages }, () => []);
    this.erases = this.pages.map(() => 0);
  }

  /** Replaces a value of so many bytes. Throws where what lives leaves no room. */
  set(key: string, bytes: number): void {
    for (let piece = 0; piece * PIECE_BYTES_MAX < bytes; piece++) {
      const length = Math.min(bytes - piece * PIECE_BYTES_MAX, PIECE_BYTES_MAX);
      this.setPiece({ key: `${key} ${piece}`, entries: BLOB_ENTRIES + Math.ceil(length / ENTRY_BYTES) });
    }
  }

  private setPiece(item: Item): void {
    for (let turn = 0; !this.hasRoom(item); turn++) {
      if (turn > this.pages.length) throw new Error(`NVS is full: no room for ${item.entries} entries`);
      this.turnPage();
    }
    this.write(item);
  }

  private hasRoom({ entries }: Item): boolean {
    return entriesOf(this.pages[this.active]!) + entries <= ENTRIES;
  }

  private write(item: Item): void {
    this.pages[this.active]!.push(item);
    this.living.set(item.key, item);
  }

  private turnPage(): void {
    const free = [...this.pages.keys()].filter((page) => this.pages[page]!.length === 0);
    const before = this.active;
    this.active = free[0]!;
    if (free.length > 1) return;
    const left = (page: number): number => entriesOf(this.pages[page]!.filter((item) => !this.lives(item)));
    const full = [...this.pages.keys()].filter((page) => page !== this.active);
    const emptied = full.reduce((most, page) => (left(page) > left(most) ? page : most), before);
    for (const item of this.pages[emptied]!) if (this.lives(item)) this.write({ ...item });
    this.pages[emptied] = [];
    this.erases[emptied]! += 1;
  }

  private lives(item: Item): boolean {
    return this.living.get(item.key) === item;
  }
}

function entriesOf(items: readonly Item[]): number {
  return items.reduce((sum, { entries }) => sum + entries, 0);
}
