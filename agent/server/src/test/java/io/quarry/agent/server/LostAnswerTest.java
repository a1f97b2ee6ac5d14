package io.quarry.agent.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quarry.common.api.CreateVirtualDiskRequest;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.ImageOptions;
import io.quarry.common.api.Json;
import io.quarry.common.api.StorageException;
import io.quarry.common.client.ClientSettings;
import io.quarry.common.client.StorageClient;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** How a client treats refusals when the answer to an earlier try was lost. */
@Timeout(60)
final class LostAnswerTest {
  private static final String REQUEST = "request-7";
  private static final String CREATE = "createVirtualDisk " + REQUEST;
  private static final String CANCEL = "cancelRequest " + REQUEST;

  private final WatchedStorage storage = new WatchedStorage();
  private final List<String> asked = new ArrayList<>();

  private static CreateVirtualDiskRequest disk() {
    return new CreateVirtualDiskRequest(
        1 << 20, null, Json.MAPPER.createObjectNode(), ImageOptions.DEFAULT);
  }

  private static StorageException error(ErrorCode code) {
    return new StorageException(code, code.name(), REQUEST, "Again.");
  }

  /** The answer of the first try is lost, and the second try is refused. */
  private void failTwice(boolean commit) {
    storage.before(verb -> {
      asked.add(verb);
      if (!verb.equals(CREATE) || asked.stream().filter(CREATE::equals).count() > 2) {
        return;
      }
      if (asked.size() > 1) {
        throw error(ErrorCode.IMAGE_BROKEN);
      }
      if (commit) {
        var _ = storage.fake.createVirtualDisk("fast", disk(), REQUEST);
      }
      throw error(ErrorCode.OUTCOME_UNKNOWN);
    });
  }

  private StorageClient client(ServerUnderTest server, Duration deadline, Duration lostTryOver) {
    server.seed();
    asked.clear();
    ClientSettings given = ClientSettings.within(deadline);
    return new StorageClient(
        List.of(server.server.uri()),
        new ClientSettings(
            deadline, given.attemptTimeout(), lostTryOver, given.requestIds(), given.jitter()));
  }

  private ServerUnderTest agent() {
    return new ServerUnderTest(storage, ServerLimits.DEFAULT, body -> body);
  }

  @Test
  void refusalIsBelievedOnceNothingCanComeOfTheLostTry() {
    try (var server = agent();
        var client = client(server, Duration.ofSeconds(30), Duration.ZERO)) {
      failTwice(false);
      assertThatThrownBy(() -> client.createVirtualDisk("fast", disk(), REQUEST))
          .extracting("code")
          .isEqualTo(ErrorCode.IMAGE_BROKEN);
      assertThat(asked).containsExactly(CREATE, CREATE, CANCEL);
    }
  }

  @Test
  void lostTryThatWasCommittedAnswers() {
    try (var server = agent();
        var client = client(server, Duration.ofSeconds(30), Duration.ZERO)) {
      failTwice(true);
      String disk = client.createVirtualDisk("fast", disk(), REQUEST).imageId();
      assertThat(asked).containsExactly(CREATE, CREATE, CANCEL, CREATE);
      assertThat(client.getImage("fast", disk, 0).imageId()).isEqualTo(disk);
    }
  }

  @Test
  void lostTryHasItsTimeBeforeItIsCancelled() {
    try (var server = agent();
        var client = client(server, Duration.ofSeconds(30), Duration.ofHours(1))) {
      failTwice(true);
      String disk = client.createVirtualDisk("fast", disk(), REQUEST).imageId();
      assertThat(asked).containsExactly(CREATE, CREATE, CREATE);
      assertThat(client.getImage("fast", disk, 0).imageId()).isEqualTo(disk);
    }
  }

  @Test
  void outcomeIsUnknownWhenItCannotBeCancelled() {
    try (var server = agent();
        var client = client(server, Duration.ofMillis(300), Duration.ZERO)) {
      storage.before(verb -> {
        asked.add(verb);
        throw error(
            verb.equals(CANCEL)
                ? ErrorCode.NO_SPACE
                : asked.size() > 1 ? ErrorCode.IMAGE_BROKEN : ErrorCode.OUTCOME_UNKNOWN);
      });
      assertThatThrownBy(() -> client.createVirtualDisk("fast", disk(), REQUEST))
          .extracting("code")
          .isEqualTo(ErrorCode.OUTCOME_UNKNOWN);
      assertThat(asked).contains(CANCEL);
    }
  }

  @Test
  void usedRequestIdIsToldWhateverAnotherAgentSaid() {
    var tries = new AtomicInteger();
    storage.before(verb -> {
      throw error(
          tries.incrementAndGet() == 1 ? ErrorCode.SDM_UNAVAILABLE : ErrorCode.REQUEST_ID_REUSED);
    });
    try (var server = agent();
        var client =
            new StorageClient(
                List.of(server.server.uri()), ClientSettings.within(Duration.ofSeconds(30)))) {
      assertThatThrownBy(() -> client.createVirtualDisk("fast", disk(), REQUEST))
          .extracting("code")
          .isEqualTo(ErrorCode.REQUEST_ID_REUSED);
    }
  }
}
