package io.quarry.agent.cli;

import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.FixInfo;
import io.quarry.common.api.FixQueued;
import io.quarry.common.api.StorageApi;
import io.quarry.common.api.StorageException;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Waits until fixes have left the queue. */
final class FixWait {
  private static final Duration STEP = Duration.ofMillis(500);

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
    Deadline deadline = new Deadline(shell.time(), timeout);
    Patience patience = new Patience(shell.time());
    String watch = "quarry check " + repo;
    try (ProgressLine line = new ProgressLine(output.err(), shell, watch)) {
      while (!ours.isEmpty()) {
        List<FixInfo> all = patience.ask(() -> api.listFixes(repo, 0));
        if (all != null) {
          List<FixInfo> left = all.stream().filter(fix -> ours.contains(fix.fixId())).toList();
          if (left.stream().allMatch(FixWait::parked)) {
            return finished(repo, left);
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

  private static boolean parked(FixInfo fix) {
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

  private static int finished(String repo, List<FixInfo> parked) {
    if (parked.isEmpty()) {
      return Exit.DONE;
    }
    FixInfo first = parked.getFirst();
    boolean paused = first.state().equals("paused");
    throw new StorageException(
        ErrorCode.INTERNAL,
        Units.count(parked.size(), "fix is", "fixes are")
            + (paused ? " paused" : " parked: ")
            + (paused ? "" : first.lastError() == null ? "stopped" : first.lastError()),
        first.imageId() == null ? first.fixId() : first.imageId(),
        paused
            ? "Run quarry queue resume " + repo + " " + first.fixId() + "."
            : "Remove the cause, then run quarry fix " + repo + " --all again.");
  }
}
