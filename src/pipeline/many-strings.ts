/** Finding many strings at once in a stream of bytes (Aho and Corasick, 1975). */

/** This many of the first nodes have a row with the next node for every byte, so that common text costs one look-up a byte. */
const DENSE_NODES = 512;

/** A trie of the strings, its nodes in order of depth; node 0 is the root. */
export interface ManyStrings {
  /** The node after one more byte. */
  next(node: number, byte: number): number;
  /** The length of the longest string that ends at each node, 0 for none. */
  readonly matched: Int32Array;
  /** How many of the last bytes may still become a string that has not ended yet, by node. */
  readonly pending: Int32Array;
}

interface Trie {
  /** First child, next sibling, the byte that leads to a node, its depth, the string that ends there (0: none). */
  readonly child: number[];
  readonly sibling: number[];
  readonly byte: number[];
  readonly depth: number[];
  readonly end: number[];
}

/** @param strings none of them empty. */
export function findMany(strings: Iterable<Uint8Array>): ManyStrings {
  const { child, sibling, byte, depth, end } = inOrderOfDepth(trieOf(strings));
  const size = child.length;
  const fail = new Int32Array(size);
  const matched = Int32Array.from(end);
  const pending = new Int32Array(size);
  const dense = Math.min(size, DENSE_NODES);
  const rows = new Int32Array(dense * 256);

  const next = (from: number, value: number): number => {
    let node = from;
    while (node >= dense) {
      let found = child[node] ?? 0;
      while (found !== 0 && byte[found] !== value) found = sibling[found] ?? 0;
      if (found !== 0) return found;
      node = fail[node] ?? 0;
    }
    return rows[node * 256 + value] ?? 0;
  };

  // What a node falls back to is less deep, so it comes before it and is known already.
  for (let node = 0; node < size; node += 1) {
    const back = fail[node] ?? 0;
    if (node < dense && node !== 0) rows.copyWithin(node * 256, back * 256, back * 256 + 256);
    for (let of = child[node] ?? 0; of !== 0; of = sibling[of] ?? 0) {
      const value = byte[of] ?? 0;
      fail[of] = node === 0 ? 0 : next(back, value);
      if (node < dense) rows[node * 256 + value] = of;
    }
    matched[node] = (matched[node] ?? 0) || (matched[back] ?? 0);
    pending[node] = child[node] === 0 ? (pending[back] ?? 0) : (depth[node] ?? 0);
  }
  return { next, matched, pending };
}

function trieOf(strings: Iterable<Uint8Array>): Trie {
  const trie: Trie = { child: [0], sibling: [0], byte: [0], depth: [0], end: [0] };
  const { child, sibling, byte, depth, end } = trie;
  for (const string of strings) {
    let node = 0;
    for (const value of string) {
      let found = child[node] ?? 0;
      while (found !== 0 && byte[found] !== value) found = sibling[found] ?? 0;
      if (found === 0) {
        found = child.length;
        child.push(0);
        sibling.push(child[node] ?? 0);
        byte.push(value);
        depth.push((depth[node] ?? 0) + 1);
        end.push(0);
        child[node] = found;
      }
      node = found;
    }
    end[node] = string.length;
  }
  return trie;
}

/** The same trie with its nodes numbered level by level. */
function inOrderOfDepth(trie: Trie): Trie {
  const order = [0];
  for (const node of order) {
    for (let of = trie.child[node] ?? 0; of !== 0; of = trie.sibling[of] ?? 0) order.push(of);
  }
  const renumbered = new Int32Array(order.length);
  for (const [index, node] of order.entries()) renumbered[node] = index;
  const moved = (links: number[]): number[] => order.map((node) => renumbered[links[node] ?? 0] ?? 0);
  const carried = (values: number[]): number[] => order.map((node) => values[node] ?? 0);
  return {
    child: moved(trie.child),
    sibling: moved(trie.sibling),
    byte: carried(trie.byte),
    depth: carried(trie.depth),
    end: carried(trie.end),
  };
}
