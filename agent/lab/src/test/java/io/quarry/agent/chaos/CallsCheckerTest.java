package io.quarry.agent.chaos;

import static org.assertj.core.api.Assertions.assertThat;

import io.quarry.agent.chaos.LoggedOutcomes.Effect;
import io.quarry.common.api.ErrorCode;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** A judge that accepts everything would make each run a success. */
final class CallsCheckerTest {
  private static final String REPOSITORY = "main";
  private static final String OPERATION = "setUserData";

  private final History history = new History(moment -> {});
  private final Map<String, List<Effect>> log = new HashMap<>();
  private long told;
  private boolean foreignWriters;

  @Test
  void callsThatAgreeWithTheLogPass() {
    acknowledged("one", 1);
    acknowledged("two", 2);
    call("three").refused(ErrorCode.SDM_UNAVAILABLE, System.nanoTime());
    log("one", 1);
    log("two", 2);
    assertThat(violations()).isEmpty();
  }

  @Test
  void lostAcknowledgementIsSeen() {
    acknowledged("one", 1);
    assertThat(violations()).singleElement().asString().contains("is lost");
  }

  @Test
  void commitWithoutAnEventIsNotLost() {
    told = 1;
    acknowledged("one", 1);
    assertThat(violations()).isEmpty();
  }

  @Test
  void refusedCallThatHappenedIsSeen() {
    call("one").refused(ErrorCode.SDM_UNAVAILABLE, System.nanoTime());
    log("one", 1);
    assertThat(violations()).singleElement().asString().contains("and happened");
  }

  /** Another process is seen to write to the image only after the commit. */
  @Test
  void undoneCallIsNoViolationWhereForeignWritersStrike() {
    call("one").refused(ErrorCode.IMAGE_IN_USE, System.nanoTime());
    log("one", 1);
    foreignWriters = true;
    assertThat(violations()).isEmpty();
    foreignWriters = false;
    assertThat(violations()).singleElement().asString().contains("and happened");
  }

  @Test
  void doubledEffectIsSeen() {
    acknowledged("one", 1);
    log.put("one", List.of(effect(1), effect(2)));
    assertThat(violations()).singleElement().asString().contains("2 effects");
  }

  @Test
  void otherCommitThanAcknowledgedIsSeen() {
    acknowledged("one", 1);
    log("one", 2);
    assertThat(violations()).singleElement().asString().contains("commit 1").contains("commit=2");
  }

  @Test
  void callOfUnknownOutcomeIsSeen() {
    call("one").unknown(System.nanoTime());
    assertThat(violations()).singleElement().asString().contains("its outcome was never known");
  }

  @Test
  void callThatWasCommittedBeforeAnEarlierOneIsSeen() {
    acknowledged("one", 2);
    acknowledged("two", 1);
    log("one", 2);
    log("two", 1);
    assertThat(violations()).singleElement().asString().contains("began after the end of");
  }

  @Test
  void callsAtTheSameTimeMayBeCommittedInEitherOrder() {
    Invocation one = call("one");
    Invocation two = call("two");
    one.acknowledged("", 2, System.nanoTime());
    two.acknowledged("", 1, System.nanoTime());
    log("one", 2);
    log("two", 1);
    assertThat(violations()).isEmpty();
  }

  private Invocation call(String requestId) {
    return history.begin(OPERATION, REPOSITORY, requestId);
  }

  private void acknowledged(String requestId, long commit) {
    call(requestId).acknowledged("", commit, System.nanoTime());
  }

  private void log(String requestId, long commit) {
    log.put(requestId, List.of(effect(commit)));
  }

  private static Effect effect(long commit) {
    return new Effect(REPOSITORY, commit, OPERATION, "");
  }

  private List<String> violations() {
    LoggedOutcomes logs =
        new LoggedOutcomes() {
          @Override
          public List<Effect> effects(String requestId) {
            return log.getOrDefault(requestId, List.of());
          }

          @Override
          public boolean untold(String repoId, long commit) {
            return commit <= told;
          }
        };
    new CallsChecker(history, logs, foreignWriters).judge(List.of(REPOSITORY));
    return history.violations();
  }
}
