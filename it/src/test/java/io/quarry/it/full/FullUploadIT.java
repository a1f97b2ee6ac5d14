package io.quarry.it.full;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.quarry.common.api.BeginUploadRequest;
import io.quarry.common.api.DownloadRequest;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.FinishUploadRequest;
import io.quarry.common.api.ImageData;
import io.quarry.common.api.Sha256;
import io.quarry.common.api.StorageException;
import io.quarry.common.api.UploadRange;
import io.quarry.common.client.StorageClient;
import io.quarry.common.model.VolumeFormat;
import io.quarry.it.box.Box;
import java.io.ByteArrayInputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** An upload into a storage without enough space. */
@Timeout(180)
final class FullUploadIT {
  private static final int MIB = 1 << 20;
  private static final int SIZE = 40 * MIB;
  private static final int FILLER = 32 * MIB;
  private static final int PIECE = 2 * MIB;

  @Test
  void uploadContinuesOnceThereIsSpace(@TempDir Path directory) throws Exception {
    Path mount = Files.createDirectories(directory.resolve("storage").resolve("small"));
    Assumptions.assumeTrue(
        run("mount", "-t", "tmpfs", "-o", "size=64m", "quarry", mount.toString()),
        "mounting takes root");
    try (Box box = Box.pair(directory)) {
      box.connect("small");
      StorageClient client = box.client(0);
      byte[] content = new byte[SIZE];
      new Random(1).nextBytes(content);
      String disk = Box.disk(client, "small", SIZE).imageId();
      Box.awaitOptimized(client, "small", disk);
      Path filler = mount.resolve("filler");
      Files.write(filler, new byte[FILLER]);

      var stated = new BeginUploadRequest(VolumeFormat.RAW, (long) SIZE, (long) SIZE);
      noSpace(() -> client.beginUpload("small", disk, stated, null));

      String id = client.beginUpload("small", disk, BeginUploadRequest.RAW, null).uploadId();
      noSpace(() -> {
        for (int at = 0; at < SIZE; at += PIECE) {
          send(client, disk, id, content, at, at + PIECE);
        }
      });
      long kept = client.getUpload("small", disk, id).offset();
      assertThat(kept).isBetween(1L, SIZE - 1L);
      noSpace(() -> send(client, disk, id, content, (int) kept, SIZE));
      assertThat(client.getUpload("small", disk, id).offset()).isGreaterThanOrEqualTo(kept);

      Files.delete(filler);
      int from = (int) client.getUpload("small", disk, id).offset();
      send(client, disk, id, content, from, SIZE);
      // The acknowledged bytes needed no second copy.
      assertThat(box.volumes("small")).hasSize(2);
      String sha256 = HexFormat.of().formatHex(Sha256.fresh().digest(content));
      assertThat(
              client
                  .finishUpload("small", disk, id, new FinishUploadRequest(sha256), null)
                  .finished())
          .isTrue();
      try (ImageData data = client.downloadImage("small", disk, DownloadRequest.WHOLE)) {
        assertThat(data.content().readAllBytes()).isEqualTo(content);
      }
    } finally {
      run("umount", "-l", mount.toString());
    }
  }

  private static void send(
      StorageClient client, String disk, String id, byte[] content, int from, int to) {
    var range = new UploadRange(from, to - from, SIZE, false, null);
    client.uploadImage(
        "small", disk, id, range, new ByteArrayInputStream(content, from, to - from));
  }

  private static void noSpace(ThrowingCallable call) {
    StorageException refusal = catchThrowableOfType(StorageException.class, call);
    assertThat(refusal).isNotNull();
    assertThat(refusal.code()).isEqualTo(ErrorCode.NO_SPACE);
  }

  private static boolean run(String... command) throws Exception {
    return new ProcessBuilder(List.of(command)).inheritIO().start().waitFor() == 0;
  }
}
