/** A range of bytes: where it begins, and how many. */
export interface ByteRange {
  offset: number;
  length: number;
}

/** A range cut into reads of at most so many bytes. */
export function sliceRange({ offset, length }: ByteRange, sliceBytes: number): ByteRange[] {
  const slices: ByteRange[] = [];
  for (let done = 0; done < length; done += sliceBytes) {
    slices.push({ offset: offset + done, length: Math.min(sliceBytes, length - done) });
  }
  return slices;
}

/** The bytes of one slice, on their way or here. Null when the object is gone. */
export type Slice = ReadableStream | Uint8Array | null;

/**
 * One stream of slices in order, one read ahead, so that an answer of any length holds two slices at most.
 * Null when the first one is not there.
 */
export async function streamSlices(
  slices: readonly ByteRange[],
  read: (slice: ByteRange) => Promise<Slice>,
): Promise<ReadableStream | null> {
  const readAt = (index: number) => {
    const slice = slices[index];
    return slice === undefined ? null : read(slice);
  };
  const first = await readAt(0);
  if (first === null) return null;
  // So it is with the ranges that clients ask for: there is nothing to put together.
  if (slices.length === 1 && !(first instanceof Uint8Array)) return first;
  const { readable, writable } = new FixedLengthStream(slices.reduce((sum, { length }) => sum + length, 0));
  // Not awaited: it runs as long as the client reads. A client that goes away rejects it; so does a read that
  // fails, and then the answer is cut short, which a client notices, rather than left hanging.
  pump(first, readAt, writable).catch((thrown) => writable.abort(thrown).catch(() => undefined));
  return readable;
}

async function pump(
  first: Slice,
  readAt: (index: number) => Promise<Slice> | null,
  writable: WritableStream<Uint8Array>,
): Promise<void> {
  let current = first;
  for (let index = 1; current !== null; index++) {
    const next = readAt(index);
    // Its failure is met below, when its turn comes.
    next?.catch(() => undefined);
    try {
      await send(current, writable);
    } catch (thrown) {
      next?.then(cancel).catch(() => undefined);
      throw thrown;
    }
    if (next === null) return await writable.close();
    current = await next;
  }
  // Not ended as if it were complete.
  throw new Error("the object went while it was being sent");
}

async function send(slice: ReadableStream | Uint8Array, writable: WritableStream<Uint8Array>): Promise<void> {
  if (!(slice instanceof Uint8Array)) return await slice.pipeTo(writable, { preventClose: true });
  const writer = writable.getWriter();
  try {
    await writer.write(slice);
  } finally {
    writer.releaseLock();
  }
}

async function cancel(slice: Slice): Promise<void> {
  if (slice !== null && !(slice instanceof Uint8Array)) await slice.cancel();
}
