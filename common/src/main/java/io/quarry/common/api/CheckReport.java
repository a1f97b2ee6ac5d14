package io.quarry.common.api;

import io.quarry.common.model.Limits;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * @param fixes every fix the repository could do with, most urgent first; empty when a deep check
 *     goes on
 * @param problems problems that no fix can put right, worst first
 * @param omitted how many less urgent findings an answer of limited size has no room for; null when
 *     there are none
 * @param reading how far a deep check is; null when the caller asked for none
 * @param commit the sequence number of the state that was checked
 */
public record CheckReport(
    List<Fix> fixes,
    List<Problem> problems,
    @Nullable Integer omitted,
    @Nullable Reading reading,
    long commit) {
  /** As JSON text. Fixes, problems, and the findings of a deep check share an answer. */
  private static final long FOUND_BYTES_MAX = Limits.PAGE_BYTES_MAX / 3;

  public CheckReport {
    fixes = List.copyOf(fixes);
    problems = List.copyOf(problems);
  }

  /** As many fixes and problems as an answer has room for. */
  public static CheckReport of(
      List<Fix> fixes, List<Problem> problems, @Nullable Reading reading, long commit) {
    List<Fix> someFixes = fitting(fixes);
    List<Problem> someProblems = fitting(problems);
    int omitted = fixes.size() - someFixes.size() + problems.size() - someProblems.size();
    return new CheckReport(someFixes, someProblems, omitted == 0 ? null : omitted, reading, commit);
  }

  private static <T> List<T> fitting(List<T> all) {
    PageRoom room = new PageRoom(FOUND_BYTES_MAX);
    return all.stream().takeWhile(room::take).toList();
  }

  /**
   * @param bytesDone read so far, by this call and the calls before it
   * @param bytesTotal to read in all
   * @param next the {@code after} of the next call; null when all has been read
   */
  public record Reading(long bytesDone, long bytesTotal, @Nullable String next) {}

  /** Where a deep check goes on; null when there is no more to read. */
  public @Nullable String next() {
    return reading == null ? null : reading.next();
  }

  /** This report with the findings of a later part of the same deep check. */
  public CheckReport and(CheckReport later) {
    List<Problem> all =
        Stream.concat(problems.stream(), later.problems.stream())
            .sorted(Comparator.comparing(Problem::kind).thenComparing(Problem::subject))
            .toList();
    int left = omitted == null ? 0 : omitted;
    left += later.omitted == null ? 0 : later.omitted;
    return new CheckReport(fixes, all, left == 0 ? null : left, later.reading, later.commit);
  }
}
