package io.quarry.it.transfer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.quarry.common.api.DownloadRequest;
import io.quarry.common.api.ImageData;
import io.quarry.common.client.StorageClient;
import io.quarry.it.box.Box;
import io.quarry.it.box.QemuGuest;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A download survives the death of its first agent, and leaves no open behind. */
@Timeout(300)
final class DownloadKillIT {
  private static final long SIZE = 64 << 20;
  private static final int BEFORE = 12 << 20;

  /** Bytes per second of the agent that the test kills. */
  private static final long SLOW = 16 << 20;

  @TempDir private Path directory;

  @Test
  void downloadGoesOnAtAnotherAgentAfterSigkill() throws Exception {
    try (Box box = Box.pair(directory);
        Raw raw = new Raw();
        StorageClient both = new StorageClient(List.of(box.host(0).url(), box.host(1).url()))) {
      box.connect("main");
      box.awaitSdm("main", 0, 1);
      String disk = Box.disk(both, "main", SIZE).imageId();
      Box.awaitOptimized(both, "main", disk);
      QemuGuest.use(both, "main", disk, "write -P 7 0 20M", "write -P 9 24M 20M");
      String expected = QemuGuest.sha256(Path.of(QemuGuest.look(both, "main", disk).path()));
      box.client(0).setThrottle(SLOW);

      // Two callers: the client, and one that speaks plain HTTP and resumes by itself.
      String path = "/v1/repositories/main/images/" + disk + "/data";
      Path file = directory.resolve("plain");
      Path streamed = directory.resolve("streamed");
      try (ImageData data = both.downloadImage("main", disk, DownloadRequest.WHOLE);
          OutputStream out = Files.newOutputStream(streamed)) {
        out.write(data.content().readNBytes(BEFORE));
        HttpResponse<InputStream> plain = raw.stream(box.host(0).url(), path);
        Files.write(file, plain.body().readNBytes(BEFORE));

        box.host(0).killAgent();

        assertThatThrownBy(() -> append(plain.body(), file)).isInstanceOf(IOException.class);
        long there = Files.size(file);
        assertThat(there).isBetween((long) BEFORE, SIZE - 1);
        HttpResponse<InputStream> rest =
            raw.stream(
                box.host(1).url(),
                path,
                "Range",
                "bytes=" + there + "-",
                "If-Match",
                Raw.header(plain, "ETag"));
        assertThat(rest.statusCode()).isEqualTo(206);
        append(rest.body(), file);
        data.content().transferTo(out);
      }
      assertThat(QemuGuest.sha256(streamed)).isEqualTo(expected);
      assertThat(QemuGuest.sha256(file)).isEqualTo(expected);

      // The dead agent's opens are ended, and the disk can be used again.
      await()
          .atMost(Box.PATIENCE)
          .until(() -> box.client(1).explainImage("main", disk, 0).neededBy().isEmpty());
      QemuGuest.use(box.client(1), "main", disk, "write -P 1 0 512");
    }
  }

  private static void append(InputStream from, Path file) throws IOException {
    try (OutputStream out = Files.newOutputStream(file, StandardOpenOption.APPEND)) {
      from.transferTo(out);
    }
  }
}
