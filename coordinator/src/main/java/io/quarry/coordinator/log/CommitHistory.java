package io.quarry.coordinator.log;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Reads single commits again, for listeners that want each of them. Once a checkpoint has freed the
 * next record, the reader reports that the log does not lead on; it skips nothing. Any number of
 * readers.
 */
public final class CommitHistory {
  /** One reading ends after this many bytes, or with the record that exceeds them. */
  private static final int BYTES_MAX = 1 << 20;

  private final SlotStore store;

  public CommitHistory(SlotStore store) {
    this.store = store;
  }

  /**
   * A commit that a listener has received.
   *
   * @param hash the first {@link #HASH_CHARS} digits of the record's hash: after a restored backup,
   *     the same number can be another commit
   */
  public record Mark(long sequence, String hash) {
    public static final int HASH_CHARS = 16;

    /** Before the first commit. */
    public static final Mark START = new Mark(0, "");

    public static Mark of(Position position) {
      return of(position.sequence(), position.hash());
    }

    private static Mark of(long sequence, String hash) {
      return new Mark(sequence, hash.substring(0, Math.min(HASH_CHARS, hash.length())));
    }
  }

  /**
   * @param mark the mark to continue after
   */
  public record Commit(LogRecord record, Mark mark) {}

  /**
   * The next commits; null when the log does not lead on from the mark any more.
   *
   * @param last the newest record that is known to be committed
   */
  public @Nullable List<Commit> after(Mark from, long last, int commitsMax) throws IOException {
    List<Commit> commits = new ArrayList<>();
    Mark at = from;
    long bytes = 0;
    while (at.sequence() < last && commits.size() < commitsMax && bytes < BYTES_MAX) {
      String name = Names.record(at.sequence() + 1);
      byte[] found = store.read(name);
      if (found == null) {
        break;
      }
      Codec.Decoded decoded;
      try {
        decoded = Codec.decode(at.sequence() + 1, found, store.describe(name));
      } catch (LogDamagedException e) {
        // The record may be one that a paused SDM put into a freed name.
        if (leadsOn(from)) {
          throw e;
        }
        return null;
      }
      if (!decoded.record().previous().startsWith(at.hash())) {
        return leadsOn(from) ? damaged(name) : null;
      }
      at = Mark.of(at.sequence() + 1, decoded.hash());
      commits.add(new Commit(decoded.record(), at));
      bytes += found.length;
    }
    return leadsOn(from) ? commits : null;
  }

  /**
   * The commit after which the log still has all others: a checkpoint's, whose record is kept. Null
   * when unknown at the moment.
   */
  public @Nullable Mark oldest() throws IOException {
    List<String> names = store.list();
    long[] checkpoints =
        names.stream()
            .mapToLong(Names::checkpointNumber)
            .filter(each -> each > 0)
            .sorted()
            .toArray();
    for (long number : checkpoints) {
      String name = Names.record(number);
      byte[] found = names.contains(name) ? store.read(name) : null;
      if (found != null) {
        return Mark.of(number, Codec.decode(number, found, store.describe(name)).hash());
      }
    }
    return null;
  }

  private List<Commit> damaged(String name) throws LogDamagedException {
    throw new LogDamagedException(store.describe(name), "it does not follow the record before it");
  }

  /**
   * Whether the record at the mark is still there. Names are freed in ascending order. While this
   * very record is there, no later one has been freed, and the records read after it are true.
   */
  private boolean leadsOn(Mark from) throws IOException {
    if (from.sequence() == 0) {
      List<String> names = store.list();
      return names.contains(Names.checkpoint(0)) || LogReader.newestCheckpoint(names) == Names.NONE;
    }
    byte[] start = Codec.recordHeader(from.sequence(), from.hash());
    byte[] found = store.readStart(Names.record(from.sequence()), Codec.RECORD_HEADER_BYTES);
    return found != null
        && new String(found, StandardCharsets.US_ASCII)
            .startsWith(new String(start, StandardCharsets.US_ASCII).stripTrailing());
  }
}
