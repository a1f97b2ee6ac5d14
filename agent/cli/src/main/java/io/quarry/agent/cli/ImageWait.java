package io.quarry.agent.cli;

import io.quarry.common.api.FixInfo;
import io.quarry.common.api.ImageStatus;
import io.quarry.common.api.StatusQuery;
import io.quarry.common.api.StorageApi;
import io.quarry.common.model.ImageState;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Waits until an image reaches a state, or until no host works towards the state any more. */
final class ImageWait {
  private static final Duration STEP_WATCHED = Duration.ofMillis(250);
  private static final Duration STEP = Duration.ofSeconds(1);

  /** A fix that one list lacks may be on its way out: only a second look is certain. */
  private static final int LOOKS = 2;

  /** The result of a wait. */
  sealed interface End {
    record Reached(ImageStatus status) implements End {}

    record TimedOut() implements End {}

    /**
     * No host works on the image.
     *
     * @param fix the fix that was parked or not requested; null when there is none
     */
    record Idle(ImageStatus status, @Nullable FixInfo fix) implements End {}
  }

  private final StorageApi api;
  private final Shell shell;
  private final PrintWriter err;

  ImageWait(StorageApi api, Shell shell, PrintWriter err) {
    this.api = api;
    this.shell = shell;
    this.err = err;
  }

  /**
   * @param commit only states from this commit on count
   */
  End until(ImageState wanted, String repo, String image, long commit, @Nullable Duration timeout) {
    WaitDeadline deadline = new WaitDeadline(shell.time(), timeout);
    Patience patience = new Patience(shell.time());
    int idle = 0;
    try (ProgressLine line = new ProgressLine(err, shell, watchWith(repo, image))) {
      while (true) {
        Duration step = deadline.next(shell.terminal() ? STEP_WATCHED : STEP);
        long asked = shell.time().nanos();
        ImageStatus status =
            patience.ask(
                () -> api.getImageStatus(repo, image, new StatusQuery(step, wanted, commit)));
        if (status != null && reached(status.state(), wanted)) {
          return new End.Reached(status);
        }
        if (deadline.passed()) {
          return new End.TimedOut();
        }
        if (status == null) {
          line.show("waiting for an agent to answer", null);
        } else {
          line.show(status.state().label(), status.progress());
          List<FixInfo> fixes = patience.ask(() -> api.listFixes(repo, 0));
          FixInfo fix = fixes == null ? null : of(image, fixes);
          idle = fixes == null || (fix != null && works(fix)) ? 0 : idle + 1;
          if (idle >= LOOKS) {
            return new End.Idle(status, fix);
          }
        }
        rest(asked, step);
      }
    }
  }

  static String watchWith(String repo, String image) {
    return "quarry image status " + repo + " " + image + " --wait";
  }

  private static boolean reached(ImageState state, ImageState wanted) {
    return state.compareTo(wanted) <= 0;
  }

  private static boolean works(FixInfo fix) {
    return !List.of("parked", "paused", "waiting").contains(fix.state());
  }

  private static @Nullable FixInfo of(String image, List<FixInfo> fixes) {
    List<FixInfo> own = fixes.stream().filter(fix -> image.equals(fix.imageId())).toList();
    return own.stream()
        .filter(ImageWait::works)
        .findFirst()
        .orElse(own.isEmpty() ? null : own.getFirst());
  }

  /** The agent did the waiting, unless it answered early. */
  private void rest(long asked, Duration step) {
    Duration left = step.minusNanos(shell.time().nanos() - asked);
    if (left.isPositive()) {
      shell.time().pause(left);
    }
  }
}
