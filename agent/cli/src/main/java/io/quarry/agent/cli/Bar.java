package io.quarry.agent.cli;

import io.quarry.common.model.Progress;
import java.util.ArrayList;
import java.util.List;

/** Draws progress as one line of text. */
final class Bar {
  private static final int CELLS = 24;

  private Bar() {}

  static String draw(Progress progress, Rate rate) {
    List<String> parts = new ArrayList<>();
    parts.add(cells(progress.percentComplete()));
    parts.add("%s %s".formatted(progress.stage(), progress.stageName()));
    if (progress.percentComplete() >= 0) {
      parts.add("%3d %%".formatted(progress.percentComplete()));
    }
    if (progress.bytesTotal() > 0 && progress.bytesDone() >= 0) {
      amount(parts, progress.bytesDone(), progress.bytesTotal(), rate);
    }
    parts.add("on " + progress.hostId());
    return String.join("  ", parts);
  }

  static String draw(Done done, Rate rate) {
    List<String> parts = new ArrayList<>();
    parts.add(cells(done.percent()));
    parts.add("%3d %%".formatted(done.percent()));
    amount(parts, done.bytes(), done.total(), rate);
    return String.join("  ", parts);
  }

  private static void amount(List<String> parts, long done, long total, Rate rate) {
    String of = total == Done.UNKNOWN ? "" : " of " + Units.bytes(total);
    parts.add(Units.bytes(done) + of);
    if (rate.bytesPerSecond() >= 0) {
      parts.add(Units.rate(rate.bytesPerSecond()));
    }
    var left = rate.left(done, total);
    if (left != null) {
      parts.add("ETA " + Units.clock(left));
    }
  }

  /** An empty bar when the percentage is unknown. */
  static String cells(int percent) {
    int full = Math.max(0, percent) * CELLS / 100;
    return "[" + "#".repeat(full) + "-".repeat(CELLS - full) + "]";
  }
}
