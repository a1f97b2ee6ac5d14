package io.quarry.coordinator.sdm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.SerializerProvider;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.Json;
import io.quarry.common.api.StorageException;
import io.quarry.coordinator.log.Checkpointer;
import io.quarry.coordinator.log.CommitLog;
import io.quarry.coordinator.log.LogReader;
import io.quarry.coordinator.log.LogState;
import io.quarry.coordinator.log.MemoryDisk;
import io.quarry.coordinator.log.MemorySlotStore;
import io.quarry.coordinator.log.MemorySlotStore.PutFault;
import io.quarry.coordinator.plan.CancelRequest;
import io.quarry.coordinator.plan.EnableFeatures;
import io.quarry.coordinator.plan.Feature;
import io.quarry.coordinator.plan.RemoveImage;
import io.quarry.coordinator.plan.Reply;
import io.quarry.coordinator.plan.RequestId;
import io.quarry.coordinator.plan.SetUserData;
import io.quarry.coordinator.plan.Unpin;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class SdmTest {
  private final MemoryDisk disk = new MemoryDisk();
  private final Gate gate = new Gate();
  private final MemorySlotStore store = new MemorySlotStore(disk, gate);
  private SdmHost host;

  @BeforeEach
  void lead() throws Exception {
    host = SdmHost.leading(store, "a");
  }

  @AfterEach
  void close() {
    gate.open();
    host.close();
  }

  private LogState fresh() throws Exception {
    return new LogReader(new MemorySlotStore(disk)).load();
  }

  private static ErrorCode refusal(CompletableFuture<Reply> answer) {
    Throwable thrown = catchThrowable(() -> answer.get(30, TimeUnit.SECONDS));
    assertThat(thrown).isInstanceOf(ExecutionException.class);
    assertThat(thrown.getCause()).isInstanceOf(StorageException.class);
    return ((StorageException) Objects.requireNonNull(thrown.getCause())).code();
  }

  /** The SDM waits before it puts the next record. */
  private CompletableFuture<Reply> heldUp() {
    gate.hold(step -> step.startsWith("put ") && step.endsWith(".record"));
    CompletableFuture<Reply> first = host.create("held-up");
    Awaitility.await().until(gate::holdsAThread);
    return first;
  }

  @Test
  void everythingQueuedGoesIntoOneRecordInOrder() throws Exception {
    CompletableFuture<Reply> first = heldUp();
    List<CompletableFuture<Reply>> answers = new ArrayList<>();
    List<String> names = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      names.add("disk" + (i * 37) % 100);
      answers.add(host.create(names.getLast()));
    }
    gate.open();
    long commit = host.committed(first).commit() + 1;
    for (CompletableFuture<Reply> answer : answers) {
      assertThat(host.committed(answer).commit()).isEqualTo(commit);
    }
    List<String> recorded = new ArrayList<>();
    for (JsonNode entry : record(commit).get("entries")) {
      recorded.add(entry.get("requestId").asText());
    }
    assertThat(recorded).isEqualTo(names);
    // An SDM answers first and tells its host afterwards.
    Awaitility.await().until(() -> host.listener.commits().contains(commit));
    assertThat(host.listener.commits()).containsExactly(1L, 2L, 3L);
  }

  @Test
  void cancelledRequestIsNeverCommitted() throws Exception {
    CompletableFuture<Reply> first = heldUp();
    CompletableFuture<Reply> cancelled = host.sdm.submit("late", new CancelRequest(null));
    CompletableFuture<Reply> late = host.create("late");
    gate.open();
    host.committed(first);
    assertThat(CancelRequest.made(host.committed(cancelled))).isTrue();
    assertThat(refusal(late)).isEqualTo(ErrorCode.REQUEST_ID_REUSED);
    assertThat(refusal(host.create("late"))).isEqualTo(ErrorCode.REQUEST_ID_REUSED);
    assertThat(host.committed(host.sdm.submit("late", new CancelRequest(null))))
        .isEqualTo(host.committed(cancelled));
    assertThat(fresh().repository().images()).doesNotContainKey("late");
  }

  @Test
  void refusalThatWasRecordedIsTheAnswerToAllTries() throws Exception {
    var refused = new CancelRequest(ErrorCode.IMAGE_BROKEN);
    host.committed(host.sdm.submit("late", refused));
    assertThat(refusal(host.create("late"))).isEqualTo(ErrorCode.IMAGE_BROKEN);
    assertThat(fresh().repository().images()).doesNotContainKey("late");
  }

  @Test
  void committedRequestAnswersItsCancellation() throws Exception {
    CompletableFuture<Reply> first = heldUp();
    CompletableFuture<Reply> made = host.create("made");
    CompletableFuture<Reply> cancelled = host.sdm.submit("made", new CancelRequest(null));
    gate.open();
    host.committed(first);
    assertThat(host.committed(cancelled)).isEqualTo(host.committed(made));
    assertThat(host.committed(host.create("made"))).isEqualTo(host.committed(made));
    assertThat(fresh().repository().images()).containsKey("made");
  }

  @Test
  void longUserDataIsSpreadOverRecordsOfLimitedSize() throws Exception {
    CompletableFuture<Reply> first = heldUp();
    List<CompletableFuture<Reply>> answers = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      answers.add(host.sdm.submit("disk" + i, SdmHost.disk("disk" + i, "x".repeat(64_000))));
    }
    gate.open();
    host.committed(first);
    Set<Long> commits = new TreeSet<>();
    for (CompletableFuture<Reply> answer : answers) {
      commits.add(host.committed(answer).commit());
    }
    assertThat(commits).hasSize(6);
    for (long commit : commits) {
      byte[] bytes = Objects.requireNonNull(store.read(String.format("%016d.record", commit)));
      assertThat(bytes).hasSizeLessThan(1_200_000);
    }
  }

  /** Case 12.21: one call with data nested 995 deep ended about 90 terms. */
  @Test
  void requestThatNoRecordCanHoldIsRefusedAndTheTermGoesOn() throws Exception {
    host.committed(host.create("disk"));
    CompletableFuture<Reply> first = heldUp();
    ObjectNode deep = JsonNodeFactory.instance.objectNode();
    CompletableFuture<Reply> nested = host.sdm.submit("nested", new SetUserData("disk", deep));
    ObjectNode inner = deep;
    for (int depth = 0; depth < 1_000; depth++) {
      inner = inner.putObject("a");
    }
    ObjectNode huge = JsonNodeFactory.instance.objectNode();
    CompletableFuture<Reply> large = host.sdm.submit("large", new SetUserData("disk", huge));
    huge.put("a", "x".repeat(17 << 20));
    CompletableFuture<Reply> error =
        host.sdm.submit("error", new SetUserData("disk", new Unwritable()));
    CompletableFuture<Reply> last = host.create("last");
    gate.open();
    host.committed(first);
    assertThat(refusal(nested)).isEqualTo(ErrorCode.INVALID_ARGUMENT);
    assertThat(refusal(large)).isEqualTo(ErrorCode.INVALID_ARGUMENT);
    assertThat(refusal(error)).isEqualTo(ErrorCode.INTERNAL);
    host.committed(last);
    assertThat(host.listener.ends()).isEmpty();
    assertThat(Objects.requireNonNull(fresh().repository().images().get("disk")).userData())
        .isEqualTo(JsonNodeFactory.instance.objectNode().put("label", ""));
  }

  /** A value that a test can only pass on. */
  @SuppressWarnings("unchecked") // ObjectNode's deepCopy has the same unchecked cast
  private static final class Unwritable extends ObjectNode {
    private static final long serialVersionUID = 1L;
    private boolean checked;

    Unwritable() {
      super(JsonNodeFactory.instance);
    }

    @Override
    public void serialize(JsonGenerator json, SerializerProvider provider) throws IOException {
      if (checked) {
        throw new AssertionError("planted");
      }
      checked = true;
      super.serialize(json, provider);
    }
  }

  private JsonNode record(long sequence) throws Exception {
    byte[] bytes = Objects.requireNonNull(store.read(String.format("%016d.record", sequence)));
    String text = new String(bytes, StandardCharsets.UTF_8);
    return Json.MAPPER.readTree(text.substring(text.indexOf('\n') + 1));
  }

  @Test
  void answeredCommitIsInTheReplicaAndInTheLog() throws Exception {
    for (int i = 0; i < 50; i++) {
      host.committed(host.create("disk" + i));
      assertThat(host.knows("disk" + i)).isTrue();
    }
    assertThat(fresh().repository().images()).hasSize(50);
  }

  @Test
  void repeatedRequestIdHasOneEffect() throws Exception {
    Reply first = host.committed(host.create("disk"));
    assertThat(host.committed(host.create("disk"))).isEqualTo(first);
    assertThat(fresh().sequence()).isEqualTo(first.commit());
  }

  @Test
  void requestIdBelongsToOneOperation() throws Exception {
    host.committed(host.create("disk"));
    assertThat(refusal(host.sdm.submit("disk", new Unpin("p"))))
        .isEqualTo(ErrorCode.REQUEST_ID_REUSED);
  }

  @Test
  void refusalIsAnsweredAfterTheCommitItRestsOn() throws Exception {
    CompletableFuture<Reply> first = heldUp();
    CompletableFuture<Reply> creation = host.create("disk");
    CompletableFuture<Reply> again = host.sdm.submit("again", SdmHost.disk("disk"));
    gate.hold(step -> step.equals("put 0000000000000003.record"));
    host.committed(first);
    Awaitility.await().until(gate::holdsAThread);
    assertThat(again).isNotDone();
    assertThat(creation).isNotDone();
    gate.open();
    assertThat(refusal(again)).isEqualTo(ErrorCode.INVALID_ARGUMENT);
    assertThat(creation).isDone();
  }

  @Test
  void answersThatRestOnAFailedCommitFail() throws Exception {
    CompletableFuture<Reply> first = heldUp();
    CompletableFuture<Reply> creation = host.create("disk");
    CompletableFuture<Reply> refused = host.sdm.submit("again", SdmHost.disk("disk"));
    CompletableFuture<Reply> repeated = host.create("disk");
    store.nextPuts(PutFault.NONE, PutFault.BEFORE_LINK);
    gate.open();
    host.committed(first);
    assertThat(refusal(creation)).isEqualTo(ErrorCode.SDM_UNAVAILABLE);
    assertThat(refusal(refused)).isEqualTo(ErrorCode.SDM_UNAVAILABLE);
    assertThat(refusal(repeated)).isEqualTo(ErrorCode.SDM_UNAVAILABLE);
    assertThat(fresh().repository().images()).doesNotContainKey("disk");
  }

  @Test
  void unknownOutcomeIsToldAndTheRepeatGivesTheTruth() throws Exception {
    store.nextPuts(PutFault.DELAYED_LINK, PutFault.BEFORE_LINK);
    assertThat(refusal(host.create("disk"))).isEqualTo(ErrorCode.OUTCOME_UNKNOWN);
    Awaitility.await().until(() -> !host.sdm.leading());
    store.landDelayed();
    host.lead();
    assertThat(host.committed(host.create("disk")).commit()).isEqualTo(2);
    assertThat(fresh().repository().images()).hasSize(1);
  }

  @Test
  void uncommittedRequestOfUnknownOutcomeIsDoneByTheRepeat() throws Exception {
    store.nextPuts(PutFault.DELAYED_LINK, PutFault.BEFORE_LINK);
    assertThat(refusal(host.create("disk"))).isEqualTo(ErrorCode.OUTCOME_UNKNOWN);
    Awaitility.await().until(() -> !host.sdm.leading());
    host.lead();
    assertThat(host.committed(host.create("disk")).commit()).isEqualTo(3);
    store.landDelayed();
    assertThat(fresh().repository().images()).hasSize(1);
  }

  @Test
  void stepDownFinishesTheRecordAndAnswersWaitingCallers() throws Exception {
    CompletableFuture<Reply> first = heldUp();
    List<CompletableFuture<Reply>> waiting = new ArrayList<>();
    for (int i = 0; i < 10; i++) {
      waiting.add(host.create("disk" + i));
    }
    host.sdm.stepDown("told to");
    for (CompletableFuture<Reply> answer : waiting) {
      assertThat(refusal(answer)).isEqualTo(ErrorCode.SDM_UNAVAILABLE);
    }
    assertThat(refusal(host.create("meanwhile"))).isEqualTo(ErrorCode.SDM_UNAVAILABLE);
    assertThat(first).isNotDone();
    gate.open();
    host.committed(first);
    Awaitility.await().until(() -> host.listener.ends().equals(List.of("told to")));
    assertThat(refusal(host.create("late"))).isEqualTo(ErrorCode.SDM_UNAVAILABLE);
    assertThat(fresh().repository().images().keySet()).containsExactly("held-up");
  }

  @Test
  void hungStorageIsToldAndTheRoleCanBeGivenUp() throws Exception {
    CompletableFuture<Reply> first = heldUp();
    Duration hanging = host.sdm.silence();
    Awaitility.await().until(() -> host.sdm.silence().compareTo(hanging.plusMillis(300)) > 0);
    CompletableFuture<Reply> waiting = host.create("waiting");
    assertThat(host.sdm.leading()).isTrue();
    host.sdm.stepDown("its storage does not answer");
    assertThat(host.sdm.leading()).isFalse();
    assertThat(refusal(waiting)).isEqualTo(ErrorCode.SDM_UNAVAILABLE);
    assertThat(first).isNotDone();
    try (SdmHost other = SdmHost.leading(new MemorySlotStore(disk), "b")) {
      other.committed(other.create("held-up"));
      gate.open();
      assertThat(refusal(first)).isEqualTo(ErrorCode.OUTCOME_UNKNOWN);
      Awaitility.await().until(() -> host.sdm.silence().isZero());
      assertThat(fresh().repository().images()).hasSize(1);
    }
  }

  /** The SDM was paused, say, and does not know the other SDM's commits. */
  @Test
  void overtakenSdmRefusesNothingByItsOldState() throws Exception {
    try (SdmHost other = SdmHost.leading(new MemorySlotStore(disk), "b")) {
      other.committed(other.create("disk"));
      CompletableFuture<Reply> removal =
          host.sdm.submit("removal", new RemoveImage("disk", true, null, false));
      assertThat(refusal(removal)).isEqualTo(ErrorCode.SDM_UNAVAILABLE);
      Awaitility.await().until(() -> !host.sdm.leading());
    }
  }

  @Test
  void electedAgainWhileATermEndsItLeadsAgain() throws Exception {
    CompletableFuture<Reply> first = heldUp();
    host.sdm.stepDown("told to");
    host.sdm.lead();
    gate.open();
    host.committed(first);
    Awaitility.await().until(host.sdm::leading);
    host.committed(host.create("disk"));
    assertThat(host.listener.turns()).containsExactly("leading", "stepped down", "leading");
  }

  @Test
  void deposedAgainWhileATermEndsItDoesNotLead() throws Exception {
    CompletableFuture<Reply> first = heldUp();
    host.sdm.stepDown("told to");
    host.sdm.lead();
    host.sdm.stepDown("told again");
    gate.open();
    host.committed(first);
    Awaitility.await().until(() -> !host.listener.ends().isEmpty());
    assertThat(refusal(host.create("disk"))).isEqualTo(ErrorCode.SDM_UNAVAILABLE);
    assertThat(host.listener.turns()).containsExactly("leading", "stepped down");
  }

  @Test
  void nextTermIsToldAfterTheEndOfTheLastEvenIfACheckpointTakesLong() throws Exception {
    gate.hold(step -> step.endsWith(".checkpoint"));
    host.createUntil(gate::holdsAThread);
    host.sdm.stepDown("told to");
    host.sdm.lead();
    Awaitility.await().until(host.sdm::leading);
    host.committed(host.create("another"));
    assertThat(host.listener.turns()).containsExactly("leading", "stepped down", "leading");
  }

  @Test
  void supersededSdmStepsDown() throws Exception {
    try (SdmHost other = SdmHost.leading(new MemorySlotStore(disk), "b")) {
      assertThat(refusal(host.create("disk"))).isEqualTo(ErrorCode.SDM_UNAVAILABLE);
      Awaitility.await().until(() -> !host.listener.ends().isEmpty());
      assertThat(host.sdm.leading()).isFalse();
      assertThat(other.sdm.leading()).isTrue();
      other.committed(other.create("disk"));
      assertThat(fresh().repository().images()).hasSize(1);
    }
  }

  @Test
  void commitSettledInAnotherSdmsTermIsAcknowledgedAndTheLast() throws Exception {
    store.nextPuts(PutFault.LOST_REPLY);
    AtomicInteger puts = new AtomicInteger();
    gate.hold(step -> step.equals("put 0000000000000002.record") && puts.incrementAndGet() > 1);
    CompletableFuture<Reply> answer = host.create("disk");
    Awaitility.await().until(gate::holdsAThread);
    MemorySlotStore itsStore = new MemorySlotStore(disk);
    try (SdmHost other = SdmHost.leading(itsStore, "b")) {
      new Checkpointer(itsStore).checkpoint(other.replica.state());
      other.committed(other.create("between"));
      new Checkpointer(itsStore).checkpoint(other.replica.state());
      gate.open();
      assertThat(host.committed(answer).commit()).isEqualTo(2);
      Awaitility.await().until(() -> !host.listener.ends().isEmpty());
      other.committed(other.create("another"));
      assertThat(fresh().repository().images()).hasSize(3);
    }
  }

  @Test
  void queueIsBoundedAndSaysSo() throws Exception {
    CompletableFuture<Reply> first = heldUp();
    for (int i = 0; i < Sdm.QUEUED_REQUESTS_MAX; i++) {
      assertThat(host.create("disk" + i)).isNotDone();
    }
    assertThat(refusal(host.create("one-too-many"))).isEqualTo(ErrorCode.SDM_UNAVAILABLE);
    host.sdm.stepDown("enough");
    gate.open();
    host.committed(first);
  }

  @Test
  void checkpointBeingWrittenHoldsUpNoCommit() throws Exception {
    gate.hold(step -> step.endsWith(".checkpoint"));
    host.createUntil(gate::holdsAThread);
    host.committed(host.create("another"));
    host.sdm.stepDown("told to");
    Awaitility.await().until(() -> !host.sdm.leading());
    assertThat(refusal(host.create("late"))).isEqualTo(ErrorCode.SDM_UNAVAILABLE);
    assertThat(gate.holdsAThread()).isTrue();
  }

  @Test
  void newTermReplacesACheckpointThatCannotBeRead() throws Exception {
    host.committed(host.create("disk"));
    String spoilt = String.format("%016d.checkpoint", host.replica.state().sequence());
    new Checkpointer(new MemorySlotStore(disk)).checkpoint(host.replica.state());
    disk.overwrite(spoilt, new byte[] {1});
    host.sdm.stepDown("told to");
    host.sdm.lead();
    Checkpointer checkpointer = new Checkpointer(new MemorySlotStore(disk));
    Awaitility.await().until(checkpointer::sound);
    assertThat(store.list()).contains(CommitLog.CREATED, spoilt);
    assertThat(fresh().repository().images()).hasSize(1);
  }

  @Test
  void damageThatACommitMeetsMakesTheRepositoryReadOnly() throws Exception {
    host.committed(host.create("first"));
    host.committed(host.create("second"));
    store.delete(List.of(CommitLog.CREATED, "0000000000000001.record", "0000000000000003.record"));
    assertThat(refusal(host.create("third"))).isEqualTo(ErrorCode.OUTCOME_UNKNOWN);
    assertThat(Objects.requireNonNull(host.replica.unreadable()).file()).endsWith("1.record");
    Awaitility.await().until(() -> !host.sdm.leading());
  }

  @Test
  void aListenerThatFailsEndsNoTerm() throws Exception {
    List<Long> heard = new ArrayList<>();
    host.replica.onChange(state -> {
      throw new IllegalStateException("listener");
    });
    host.replica.onChange(state -> heard.add(state.sequence()));
    assertThat(host.committed(host.create("disk")).commit()).isEqualTo(2);
    assertThat(host.committed(host.create("next")).commit()).isEqualTo(3);
    assertThat(heard).containsExactly(2L, 3L);
    assertThat(host.listener.ends()).isEmpty();
  }

  /** Case 12.6: the thread of a failing term gives up the role, and its failure is counted. */
  @Test
  void errorLeavesTheRoleIsCountedAndTheNextTermGoesOn() throws Exception {
    gate.hold(step -> {
      if (step.startsWith("put ") && step.endsWith(".record")) {
        throw new OutOfMemoryError("a record too large");
      }
      return false;
    });
    assertThat(refusal(host.create("disk"))).isEqualTo(ErrorCode.OUTCOME_UNKNOWN);
    Awaitility.await().until(() -> !host.listener.ends().isEmpty());
    assertThat(host.listener.ends().getFirst()).contains("a record too large");
    Awaitility.await()
        .until(() ->
            host.supervisor.tallies().stream()
                .anyMatch(tally -> tally.name().equals("sdm-main") && tally.failures() == 1));
    gate.open();
    host.lead();
    assertThat(host.committed(host.create("disk")).commit()).isGreaterThan(2);
  }

  @Test
  void closedSdmNeverLeadsAgain() {
    host.sdm.close();
    host.sdm.lead();
    assertThat(host.sdm.leading()).isFalse();
    assertThat(refusal(host.create("disk"))).isEqualTo(ErrorCode.SDM_UNAVAILABLE);
  }

  /** Case 12.10: a request id belongs to one call, and not to an operation. */
  @Test
  void anotherCallUnderTheSameRequestIdIsRefused() throws Exception {
    host.committed(host.sdm.submit("features", new EnableFeatures(Feature.KNOWN)));
    RequestId first = new RequestId("key", "digest of the first call");
    Reply reply = host.committed(host.sdm.submit(first, SdmHost.disk("a")));
    assertThat(host.committed(host.sdm.submit(first, SdmHost.disk("b")))).isEqualTo(reply);
    RequestId other = new RequestId("key", "digest of another call");
    assertThat(refusal(host.sdm.submit(other, SdmHost.disk("b"))))
        .isEqualTo(ErrorCode.REQUEST_ID_REUSED);
    assertThat(host.knows("b")).isFalse();
    new Checkpointer(store).checkpoint(host.replica.state());
    assertThat(fresh().repository().requests().find("key")).isEqualTo(reply);
  }

  /**
   * Logs of the first version keep answers without a digest: only operation and target can differ.
   */
  @Test
  void withoutDigestsTheTargetTellsCallsApart() throws Exception {
    host.committed(host.create("a"));
    host.committed(host.create("b"));
    RequestId key = new RequestId("key", "digest of the first call");
    Reply removed =
        host.committed(host.sdm.submit(key, new RemoveImage("a", true, Duration.ZERO, false)));
    assertThat(removed.digest()).isNull();
    assertThat(refusal(host.sdm.submit(key, new RemoveImage("b", true, Duration.ZERO, false))))
        .isEqualTo(ErrorCode.REQUEST_ID_REUSED);
    assertThat(host.replica.state().repository().visibleImage("b")).isNotNull();
  }
}
