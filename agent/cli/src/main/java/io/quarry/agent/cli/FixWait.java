package io.quarry.agent.cli;

import io.quarry.common.api.FixInfo;
import io.quarry.common.api.FixQueued;
import io.quarry.common.api.StorageApi;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Waits until fixes have left the queue. */
final class FixWait {
  private static final Duration STEP = Duration.ofMillis(500);
  private static final int LEFT_TOLD_MAX = 10;

  private final StorageApi api;
  private final Shell shell;
  private final Output output;

  FixWait(StorageApi api, Shell shell, Output output) {
    this.api = api;
    this.shell = shell;
    this.output = output;
  }

  /** Returns the exit code. */
  int until(String repo, List<FixQueued> queued, @Nullable Duration timeout) {
    Set<String> ours = queued.stream().map(FixQueued::fixId).collect(Collectors.toSet());
    WaitDeadline deadline = new WaitDeadline(shell.time(), timeout);
    Patience patience = new Patience(shell.time());
    String watch = "quarry check " + repo;
    try (ProgressLine line = new ProgressLine(output.err(), shell, watch)) {
      while (!ours.isEmpty()) {
        List<FixInfo> all = patience.ask(() -> api.listFixes(repo, 0));
        if (all != null) {
          List<FixInfo> left = all.stream().filter(fix -> ours.contains(fix.fixId())).toList();
          if (left.stream().allMatch(FixWait::resting)) {
            return finished(repo, line, left);
          }
          show(line, ours.size(), left);
        }
        if (deadline.passed()) {
          line.say("timed out; " + GoesOn.text(watch));
          return Exit.TIMED_OUT;
        }
        shell.time().pause(deadline.next(STEP));
      }
    }
    return Exit.DONE;
  }

  private static boolean resting(FixInfo fix) {
    return List.of("parked", "paused", "waiting").contains(fix.state());
  }

  private static void show(ProgressLine line, int total, List<FixInfo> left) {
    FixInfo current =
        left.stream().filter(fix -> fix.state().equals("running")).findFirst().orElse(null);
    line.show(
        "%d of %d fixed".formatted(total - left.size(), total)
            + (current == null ? "" : "  " + current.type().label()),
        current == null ? null : current.progress());
  }

  /** Reports each fix that is left, one line each; a fix that is left is no success. */
  private static int finished(String repo, ProgressLine line, List<FixInfo> left) {
    left.stream().limit(LEFT_TOLD_MAX).forEach(fix -> line.say(text(repo, fix)));
    if (left.size() > LEFT_TOLD_MAX) {
      line.say(
          "and %d more; see quarry queue list %s".formatted(left.size() - LEFT_TOLD_MAX, repo));
    }
    return left.isEmpty() ? Exit.DONE : Exit.FAILED;
  }

  private static String text(String repo, FixInfo fix) {
    String about =
        "%s: %s of %s"
            .formatted(
                fix.state(),
                fix.type().label(),
                fix.imageId() == null ? "an orphaned file" : fix.imageId());
    return fix.state().equals("paused")
        ? about + "; resume it with quarry queue resume " + repo + " " + fix.fixId()
        : about
            + (fix.lastError() == null ? "" : ": " + fix.lastError())
            + "; remove the cause, then run quarry fix "
            + repo
            + " --all again";
  }
}
