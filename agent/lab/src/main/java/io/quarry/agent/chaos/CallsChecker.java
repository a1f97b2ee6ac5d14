package io.quarry.agent.chaos;

import io.quarry.agent.chaos.LoggedOutcomes.Effect;
import io.quarry.common.api.ErrorCode;
import java.util.Comparator;
import java.util.List;

/** Compares the answers that callers got with the logs. */
final class CallsChecker {
  private final History history;
  private final LoggedOutcomes log;
  private final boolean foreignWriters;

  /**
   * @param foreignWriters whether any foreign writers ran; an operation that meets one is undone by
   *     a commit of its own, and refused
   */
  CallsChecker(History history, LoggedOutcomes log, boolean foreignWriters) {
    this.history = history;
    this.log = log;
    this.foreignWriters = foreignWriters;
  }

  void judge(List<String> repositories) {
    history.calls().forEach(this::judge);
    repositories.forEach(this::judgeOrder);
  }

  private void judge(Invocation call) {
    List<Effect> effects = log.effects(call.requestId);
    if (effects.size() > 1) {
      history.violation(call + " has " + effects.size() + " effects: " + effects);
      return;
    }
    switch (call.outcome()) {
      case ACKNOWLEDGED -> acknowledged(call, effects);
      case REFUSED -> {
        boolean undone = foreignWriters && call.code() == ErrorCode.IMAGE_IN_USE;
        if (!effects.isEmpty() && !undone) {
          history.violation(
              call + " was refused with " + call.code() + ", and happened: " + effects);
        }
      }
      case UNKNOWN -> history.violation(call + ": its outcome was never known");
    }
  }

  private void acknowledged(Invocation call, List<Effect> effects) {
    if (effects.isEmpty()) {
      if (!log.untold(call.repoId, call.commit())) {
        history.violation(call + " was acknowledged in commit " + call.commit() + ", and is lost");
      }
      return;
    }
    Effect effect = effects.getFirst();
    boolean id = call.id() == null || call.id().isEmpty() || sameId(call, effect);
    if (!effect.repoId().equals(call.repoId)
        || effect.commit() != call.commit()
        || !named(call).contains(effect.operation())
        || !id) {
      history.violation(
          "%s was acknowledged as %s in commit %d, and the log has %s"
              .formatted(call, call.id(), call.commit(), effect));
    }
  }

  /**
   * The operations that the log may show for the call: a requested fix is queued, or done at once.
   */
  private static List<String> named(Invocation call) {
    return call.operation.equals("fixStorageRepository")
        ? List.of("queueFix", "unpin")
        : List.of(call.operation);
  }

  /** The end of an upload has the id of its image. */
  private static boolean sameId(Invocation call, Effect effect) {
    return effect.id().equals(call.id()) || call.operation.equals("finishUpload");
  }

  /** A call that began after another one's end must have the same commit or a later one. */
  private void judgeOrder(String repoId) {
    List<Invocation> acknowledged =
        history.calls().stream()
            .filter(call -> call.repoId.equals(repoId))
            .filter(call -> call.outcome() == Invocation.Outcome.ACKNOWLEDGED)
            .toList();
    List<Invocation> byStart =
        acknowledged.stream().sorted(Comparator.comparingLong(Invocation::startNanos)).toList();
    List<Invocation> byEnd =
        acknowledged.stream().sorted(Comparator.comparingLong(Invocation::endNanos)).toList();
    Invocation newest = null;
    int ended = 0;
    for (Invocation call : byStart) {
      while (ended < byEnd.size() && byEnd.get(ended).endNanos() < call.startNanos()) {
        Invocation earlier = byEnd.get(ended++);
        newest = newest == null || earlier.commit() > newest.commit() ? earlier : newest;
      }
      if (newest != null && newest.commit() >= call.commit()) {
        history.violation(
            "%s began after the end of %s, and has commit %d while that has %d"
                .formatted(call, newest, call.commit(), newest.commit()));
      }
    }
  }
}
