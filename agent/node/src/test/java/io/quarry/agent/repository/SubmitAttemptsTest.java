package io.quarry.agent.repository;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quarry.agent.repository.SubmitAttempts.Outcome;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.StorageException;
import io.quarry.coordinator.plan.CancelRequest;
import io.quarry.coordinator.plan.Reply;
import io.quarry.coordinator.plan.Request;
import io.quarry.coordinator.plan.RequestId;
import io.quarry.coordinator.plan.ResumeFix;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class SubmitAttemptsTest {
  private static final RequestId ID = RequestId.of("request-7");
  private static final Request RESUME = new ResumeFix("mend-1");
  private static final Reply DONE = new Reply("resumeFix", "mend-1", 5);

  private final List<Request> asked = new ArrayList<>();

  private SubmitAttempts.Try lost() {
    return request -> {
      asked.add(request);
      return Outcome.unknown("no answer");
    };
  }

  private SubmitAttempts.Try refused(ErrorCode code) {
    return request -> {
      asked.add(request);
      throw new StorageException(code, code.name(), ID.value(), "Look.");
    };
  }

  private SubmitAttempts.Try answered(Reply reply) {
    return request -> {
      asked.add(request);
      return Outcome.of(reply);
    };
  }

  @Test
  void firstRefusalIsTheAnswer() {
    var tries = new SubmitAttempts(ID, RESUME);
    assertThat(tries.once(request -> Outcome.nothing("no host leads"))).isNull();
    assertThatThrownBy(() -> tries.once(refused(ErrorCode.FIX_NOT_FOUND)))
        .extracting("code")
        .isEqualTo(ErrorCode.FIX_NOT_FOUND);
  }

  @Test
  void refusalAfterALostTryIsRecordedFirst() {
    var tries = new SubmitAttempts(ID, RESUME);
    assertThat(tries.once(lost())).isNull();
    assertThat(tries.once(refused(ErrorCode.FIX_NOT_FOUND))).isNull();
    assertThat(tries.once(lost())).isNull();
    Reply cancelled = new Reply("cancelRequest", "FIX_NOT_FOUND", 6);
    assertThatThrownBy(() -> tries.once(answered(cancelled)))
        .extracting("code")
        .isEqualTo(ErrorCode.FIX_NOT_FOUND);
    Request cancel = new CancelRequest(ErrorCode.FIX_NOT_FOUND);
    assertThat(asked).containsExactly(RESUME, RESUME, cancel, cancel);
  }

  @Test
  void lostTryThatWasCommittedIsTheAnswer() {
    var tries = new SubmitAttempts(ID, RESUME);
    assertThat(tries.once(lost())).isNull();
    assertThat(tries.once(refused(ErrorCode.FIX_NOT_FOUND))).isNull();
    assertThat(tries.once(answered(DONE))).isEqualTo(DONE);
  }

  @Test
  void passingRefusalIsNotRecorded() {
    var tries = new SubmitAttempts(ID, RESUME);
    assertThat(tries.once(lost())).isNull();
    assertThat(tries.once(refused(ErrorCode.NO_SPACE))).isNull();
    assertThat(tries.once(answered(DONE))).isEqualTo(DONE);
    assertThat(asked).containsExactly(RESUME, RESUME, RESUME);
    assertThat(tries.maybeCommitted()).isTrue();
  }

  @Test
  void cancellationOfTheCallerIsNotCancelled() {
    Request cancel = new CancelRequest(null);
    var tries = new SubmitAttempts(ID, cancel);
    assertThat(tries.once(lost())).isNull();
    assertThat(tries.once(refused(ErrorCode.INVALID_ARGUMENT))).isNull();
    Reply cancelled = new Reply("cancelRequest", "", 6);
    assertThat(tries.once(answered(cancelled))).isEqualTo(cancelled);
    assertThat(asked).containsExactly(cancel, cancel, cancel);
  }

  @Test
  void idOfAnotherRequestIsToldAtOnce() {
    var tries = new SubmitAttempts(ID, RESUME);
    assertThat(tries.once(lost())).isNull();
    assertThatThrownBy(() -> tries.once(refused(ErrorCode.REQUEST_ID_REUSED)))
        .extracting("code")
        .isEqualTo(ErrorCode.REQUEST_ID_REUSED);
  }
}
