package io.quarry.agent.data;

import io.quarry.agent.data.qemu.Chain;
import io.quarry.agent.data.qemu.MapEntry;
import io.quarry.agent.data.qemu.QemuImg;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.ArrayDeque;
import java.util.Collections;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.OptionalLong;

/**
 * Where each byte of an image is in the files of its chain. QEMU is asked for large spans, and a
 * span is kept as long as a reader is likely to ask for it again.
 */
final class ChainMap {
  /** When an answer has fewer entries than this, the next span is twice as long. */
  private static final int ENTRIES_FEW = 4096;

  /** At most 64 Ki entries, 9 MB of text, when each cluster is in another place. */
  private static final long FIRST_SPAN_BYTES = 4L << 30;

  private static final long SPAN_BYTES_MAX = 1L << 40;

  /** The window being written, the next one, and one spare. */
  private static final int SPANS_KEPT = 4;

  private final QemuImg qemu;
  private final Chain chain;
  private final long size;
  private final Deque<Span> kept = new ArrayDeque<>();
  private long spanBytes = FIRST_SPAN_BYTES;

  ChainMap(QemuImg qemu, Chain chain, long size) {
    this.qemu = qemu;
    this.chain = chain;
    this.size = size;
  }

  private record Span(long start, long end, List<MapEntry> entries) {
    boolean contains(long offset) {
      return start <= offset && offset < end;
    }

    MapEntry at(long offset) {
      MapEntry key = new MapEntry(offset, 1, 0, false, false, false, OptionalLong.empty());
      int found = Collections.binarySearch(entries, key, Comparator.comparingLong(MapEntry::start));
      return entries.get(found >= 0 ? found : -found - 2);
    }
  }

  /** The entry that contains a byte. */
  MapEntry at(long offset) throws IOException {
    return span(offset).at(offset);
  }

  private synchronized Span span(long offset) throws IOException {
    for (Span span : kept) {
      if (span.contains(offset)) {
        return span;
      }
    }
    Span span = ask(offset);
    kept.addLast(span);
    if (kept.size() > SPANS_KEPT) {
      kept.removeFirst();
    }
    return span;
  }

  private Span ask(long offset) throws IOException {
    long end = Math.min(size, offset + spanBytes);
    List<MapEntry> entries;
    try {
      entries = qemu.map(chain, offset, end - offset);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException(chain + ": interrupted while asking for its map");
    }
    long at = offset;
    for (MapEntry entry : entries) {
      if (entry.start() != at) {
        throw new IOException(chain + ": the map has a gap at " + at);
      }
      at = entry.end();
    }
    if (at < end) {
      throw new IOException(chain + ": the map ends at " + at + ", not at " + end);
    }
    if (entries.size() < ENTRIES_FEW) {
      spanBytes = Math.min(SPAN_BYTES_MAX, 2 * spanBytes);
    }
    return new Span(offset, end, entries);
  }
}
