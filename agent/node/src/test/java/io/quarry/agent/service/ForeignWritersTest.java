package io.quarry.agent.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.quarry.agent.AgentsUnderTest;
import io.quarry.agent.HeldFile;
import io.quarry.common.api.BeginUploadRequest;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.OpenRequest;
import io.quarry.common.api.OpenedImage;
import io.quarry.common.api.RemoveImageOptions;
import io.quarry.common.api.StorageException;
import io.quarry.common.client.StorageClient;
import java.nio.file.Path;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** 20.2: a QEMU process outside of Quarry writes to a disk. */
@Timeout(180)
final class ForeignWritersTest {
  private static final int SIZE = 1 << 20;
  private static final String MAIN = "main";
  private static final String OTHER = "other";

  @TempDir private Path directory;

  @Test
  void diskThatAnotherProcessWritesToIsReadAlone() throws Exception {
    try (AgentsUnderTest agents = AgentsUnderTest.start(directory, 1, MAIN, OTHER)) {
      StorageClient client = agents.client(0);
      String disk = agents.disk(MAIN, SIZE);
      Path file = Path.of(open(client, disk, false).path());
      try (var _ = HeldFile.of(file, "-f", "raw")) {
        inUse(() -> open(client, disk, false));
        inUse(() -> AgentsUnderTest.snapshot(client, MAIN, disk));
        inUse(() -> client.resizeImage(MAIN, disk, 2 * SIZE, null));
        inUse(() -> AgentsUnderTest.copy(client, OTHER, disk, null));
        inUse(() -> client.beginUpload(MAIN, disk, BeginUploadRequest.RAW, null));
        inUse(() -> client.removeImage(MAIN, disk, RemoveImageOptions.DEFAULT, null));
        open(client, disk, true);
      }
      open(client, disk, false);
      assertThat(AgentsUnderTest.snapshot(client, MAIN, disk)).isNotEmpty();
    }
  }

  /** Opens and closes the disk. */
  private static OpenedImage open(StorageClient client, String disk, boolean readOnly) {
    OpenedImage opened = client.openImage(MAIN, disk, new OpenRequest(readOnly, "vm"), null);
    client.closeImage(MAIN, disk, opened.openId(), null);
    return opened;
  }

  /** The search for the process has little time, which a busy machine may use up. */
  private static void inUse(ThrowingCallable call) {
    String message;
    do {
      StorageException refusal = catchThrowableOfType(StorageException.class, call);
      assertThat(refusal).isNotNull();
      assertThat(refusal.code()).isEqualTo(ErrorCode.IMAGE_IN_USE);
      message = String.valueOf(refusal.getMessage());
    } while (message.contains("a process on this host"));
    assertThat(message).contains("qemu-io (process ");
  }
}
