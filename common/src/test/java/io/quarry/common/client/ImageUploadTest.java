package io.quarry.common.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.StorageException;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;

/** An upload under a low throttle used to fail although it made progress. */
final class ImageUploadTest {
  private final AtomicInteger calls = new AtomicInteger();

  private Supplier<String> refusedAtFirst(ErrorCode code, int times) {
    return () -> {
      if (calls.incrementAndGet() <= times) {
        throw new StorageException(code, "no", "disk", "repeat it");
      }
      return "done";
    };
  }

  @Test
  void pieceIsSentAgainWhileTheUploadMoves() {
    Iterator<Long> reached = List.of(0L, 5L, 6L).iterator();
    Supplier<String> call = refusedAtFirst(ErrorCode.AGENT_UNAVAILABLE, 3);
    assertThat(ImageUpload.whileItMoves(call, reached::next)).isEqualTo("done");
    assertThat(calls).hasValue(4);
  }

  @Test
  void uploadThatStandsStillIsGivenUp() {
    Supplier<String> call = refusedAtFirst(ErrorCode.AGENT_UNAVAILABLE, 99);
    assertThatThrownBy(() -> ImageUpload.whileItMoves(call, () -> 7))
        .isInstanceOf(StorageException.class);
    assertThat(calls).hasValue(2);
  }

  @Test
  void refusalIsBelievedAtOnce() {
    Supplier<String> call = refusedAtFirst(ErrorCode.DIGEST_MISMATCH, 99);
    assertThatThrownBy(() -> ImageUpload.whileItMoves(call, () -> 7))
        .isInstanceOf(StorageException.class);
    assertThat(calls).hasValue(1);
  }

  @Test
  void agentsThatAreGoneAreNotWaitedFor() {
    Supplier<String> call = refusedAtFirst(ErrorCode.AGENT_UNAVAILABLE, 99);
    var gone = new StorageException(ErrorCode.OPEN_NOT_FOUND, "gone", "u-1", "begin anew");
    assertThatThrownBy(() ->
            ImageUpload.whileItMoves(
                call,
                () -> {
                  throw gone;
                }))
        .hasMessage("no")
        .hasSuppressedException(gone);
    assertThat(calls).hasValue(1);
  }
}
