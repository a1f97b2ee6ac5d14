package io.quarry.agent.storage.directory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.quarry.agent.data.SmallStorage;
import io.quarry.agent.data.os.Folder;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.StorageException;
import io.quarry.coordinator.log.LogReader;
import io.quarry.coordinator.plan.Reply;
import io.quarry.coordinator.sdm.SdmHost;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A full storage refuses calls that take space, and still serves calls that free space. */
class FullDirectoryTest {
  private static ErrorCode refusal(CompletableFuture<Reply> answer) {
    Throwable thrown = catchThrowable(() -> answer.get(30, TimeUnit.SECONDS));
    return ((StorageException) Objects.requireNonNull(thrown.getCause())).code();
  }

  private static boolean wholeBallast(Path root) throws Exception {
    Path ballast = root.resolve("ballast");
    return Files.exists(ballast) && Files.size(ballast) == Ballast.BYTES;
  }

  @Test
  void removalsAreCommittedAndCreationsRefused(@TempDir Path mountPoint) throws Exception {
    try (SmallStorage small = SmallStorage.mounted(mountPoint, "size=16m");
        DirectorySlotStore store = new DirectorySlotStore(Folder.open(small.root()), "a");
        SdmHost host = SdmHost.fresh(store, "a")) {
      host.committed(host.create("disk"));
      Awaitility.await().until(() -> wholeBallast(small.root()));
      Path filler = small.fill();
      assertThat(refusal(host.create("more"))).isEqualTo(ErrorCode.NO_SPACE);
      host.committed(host.remove("disk"));
      assertThat(host.sdm.leading()).isTrue();
      small.fill("filler2");
      assertThat(refusal(host.create("more"))).isEqualTo(ErrorCode.NO_SPACE);
      assertThat(wholeBallast(small.root())).isFalse();
      assertThat(new LogReader(store).load().repository().images().get("disk"))
          .isNotNull()
          .matches(image -> !image.visible());

      Files.delete(filler);
      host.committed(host.create("more"));
      Awaitility.await().until(() -> wholeBallast(small.root()));
    }
  }

  @Test
  void termBeginsOnAFullStorage(@TempDir Path mountPoint) throws Exception {
    try (SmallStorage small = SmallStorage.mounted(mountPoint, "size=16m");
        DirectorySlotStore store = new DirectorySlotStore(Folder.open(small.root()), "a")) {
      try (SdmHost host = SdmHost.fresh(store, "a")) {
        host.committed(host.create("disk"));
        Awaitility.await().until(() -> wholeBallast(small.root()));
      }
      small.fill();
      try (SdmHost next = SdmHost.leading(store, "b")) {
        next.committed(next.remove("disk"));
      }
    }
  }
}
