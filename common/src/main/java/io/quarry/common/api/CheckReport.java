package io.quarry.common.api;

import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * @param fixes every fix the repository could do with, most urgent first; empty when a deep check
 *     goes on
 * @param problems what no fix can put right, worst first
 * @param reading how far a deep check is; null when it was not asked for
 * @param commit the sequence number of the state that was checked
 */
public record CheckReport(
    List<Fix> fixes, List<Problem> problems, @Nullable Reading reading, long commit) {
  public CheckReport {
    fixes = List.copyOf(fixes);
    problems = List.copyOf(problems);
  }

  /**
   * @param bytesDone read so far, by this call and those before
   * @param bytesTotal to read in all
   * @param next to be given as {@code after} to go on; null when all has been read
   */
  public record Reading(long bytesDone, long bytesTotal, @Nullable String next) {}

  /** Where a deep check goes on; null when there is no more to read. */
  public @Nullable String next() {
    return reading == null ? null : reading.next();
  }

  /** This one with what a later part of the same deep check has found. */
  public CheckReport and(CheckReport later) {
    List<Problem> all =
        Stream.concat(problems.stream(), later.problems.stream())
            .sorted(Comparator.comparing(Problem::kind).thenComparing(Problem::subject))
            .toList();
    return new CheckReport(fixes, all, later.reading, later.commit);
  }
}
