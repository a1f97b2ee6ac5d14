package io.quarry.agent.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.awaitility.Awaitility.await;

import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.Sha256;
import io.quarry.common.api.StorageException;
import io.quarry.coordinator.thread.Supervisor;
import java.time.Duration;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
final class UploadWorkersTest {
  private static final long SIZE = 2L * ReadBack.SPAN_BYTES;

  private final UploadWorkers workers = UploadWorkers.of(new Supervisor());

  private final ReadBack readBack =
      new ReadBack(
          SIZE,
          () -> SIZE,
          (digest, from) -> {
            digest.update((byte) 1);
            return from + ReadBack.SPAN_BYTES;
          },
          () -> true);

  @Test
  void dueBytesAreReadBack() {
    try (workers) {
      workers.follow(readBack);
      await().until(() -> readBack.verified() == SIZE);
    }
  }

  /** The range is durable and is acknowledged; its caller saw an internal error. */
  @Test
  void agentThatStopsLeavesTheReadBackToTheEndOfTheUpload() {
    workers.close();
    workers.follow(readBack);
    assertThat(readBack.verified()).isZero();
    assertThat(readBack.isDue()).as("due again").isTrue();
    byte[] two = Sha256.fresh().digest(new byte[] {1, 1});
    assertThat(readBack.await(Duration.ofSeconds(50))).isEqualTo(HexFormat.of().formatHex(two));
  }

  @Test
  void conversionIsRefusedByAnAgentThatStops() {
    workers.close();
    StorageException refusal =
        catchThrowableOfType(StorageException.class, () -> workers.convert(() -> true, "disk"));
    assertThat(refusal.code()).isEqualTo(ErrorCode.AGENT_UNAVAILABLE);
    assertThat(refusal.subject()).isEqualTo("disk");
  }
}
