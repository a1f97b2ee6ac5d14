package io.quarry.it.fencing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.quarry.agent.dev.LocalClusterOptions;
import io.quarry.common.api.CreatedImage;
import io.quarry.common.client.StorageClient;
import io.quarry.it.box.Box;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The SDM's storage hangs, on its host alone: a host whose storage answers becomes SDM. */
@Timeout(300)
final class HungSdmIT {
  private static final String REPOSITORY = "vms";
  private static final long SIZE = 1 << 20;

  @Test
  void roleMovesToAHostWhoseStorageAnswers(@TempDir Path directory) throws Exception {
    Path trigger = directory.resolve("hang-now");
    LocalClusterOptions options =
        LocalClusterOptions.in(directory)
            .withJavaOptions("-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1");
    try (Box box = Box.start(options)) {
      box.addOdd(
          "odd", options, "-Dquarry.fault.hangAt=log.put", "-Dquarry.fault.armedBy=" + trigger);
      StorageClient odd = box.client("odd");
      box.connect(REPOSITORY, 1);
      assertThat(box.awaitSdm(REPOSITORY, 1)).isEqualTo("odd");
      box.connect(REPOSITORY);
      Box.disk(odd, REPOSITORY, SIZE);

      Files.createFile(trigger);
      CreatedImage during = Box.disk(odd, REPOSITORY, SIZE);
      String other = box.host(0).hostId();
      assertThat(box.awaitSdm(REPOSITORY, 0, 1)).isEqualTo(other);
      Box.awaitOptimized(odd, REPOSITORY, during.imageId());

      Files.delete(trigger);
      await()
          .atMost(Box.PATIENCE)
          .until(() -> Files.readString(box.host("odd").log()).contains("No longer SDM"));
      CreatedImage after = Box.disk(odd, REPOSITORY, SIZE);
      assertThat(after.commit()).isGreaterThan(during.commit());
      box.host(0).shutDown();
      assertThat(box.awaitSdm(REPOSITORY, 1)).isEqualTo("odd");
      assertThat(Box.disk(odd, REPOSITORY, SIZE).commit()).isGreaterThan(after.commit());
    }
  }
}
