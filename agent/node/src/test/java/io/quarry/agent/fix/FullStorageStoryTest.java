package io.quarry.agent.fix;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.quarry.agent.data.LoopFilesystem;
import io.quarry.agent.storage.RepositoryStorage;
import io.quarry.agent.storage.directory.Ballast;
import io.quarry.agent.storage.directory.LocalfsFormat;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.StorageException;
import io.quarry.coordinator.cluster.Canary;
import io.quarry.coordinator.plan.CloseImage;
import io.quarry.coordinator.plan.OpenImage;
import io.quarry.coordinator.plan.RemoveImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.Map;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * 12.8: a filesystem without a free byte or without a free inode. Removals were refused with the
 * remedy to remove images, and no VM could start.
 */
@Timeout(180)
final class FullStorageStoryTest {
  private static final int SIZE = 64 << 20;
  private static final String FEW_INODES = "600";

  @TempDir private Path directory;

  @SuppressWarnings("NullAway.Init")
  private Path here;

  private int fillers;

  @BeforeEach
  void place() {
    here = directory.resolve("here");
  }

  @Test
  void withoutInodesImagesAreOpenedClosedAndRemoved() throws Exception {
    try (LoopFilesystem ext4 = LoopFilesystem.mountExt4(directory, SIZE, "-N", FEW_INODES)) {
      Files.createSymbolicLink(here, ext4.path());
      try (FrozenStory story = new FrozenStory(directory)) {
        begin(story);
        takeAllInodes();
        usedAndRemoved(story, this::takeAllInodes);
        try (var files = Files.list(here.resolve("fillers"))) {
          for (Path file : files.toList()) {
            Files.delete(file);
          }
        }
        story.disk("after");
        awaitReserve();
      }
    }
  }

  @Test
  void withoutBytesImagesAreOpenedClosedAndRemoved() throws Exception {
    try (LoopFilesystem ext4 = LoopFilesystem.mountExt4(directory, SIZE)) {
      Files.createSymbolicLink(here, ext4.path());
      try (FrozenStory story = new FrozenStory(directory)) {
        begin(story);
        takeAllBytes();
        usedAndRemoved(story, this::takeAllBytes);
      }
    }
  }

  /** The probe of a connection and the first beat of a host use the reserve, too. */
  @Test
  void fullStorageIsConnectedByAnotherHost() throws Exception {
    try (LoopFilesystem ext4 = LoopFilesystem.mountExt4(directory, SIZE, "-N", FEW_INODES)) {
      Files.createSymbolicLink(here, ext4.path());
      try (FrozenStory story = new FrozenStory(directory)) {
        begin(story);
      }
      takeAllInodes();
      takeAllBytes();
      try (RepositoryStorage next =
          new LocalfsFormat().connect(Map.of("path", here.toString()), false, "next@life")) {
        // The files of the probe are gone again, and other writers are faster.
        takeAllInodes();
        Canary canary = new Canary("cluster", "next@life", 7, 1, "nonce");
        next.writeCanary("next", canary);
        assertThat(next.canaries()).contains(canary);
      }
    }
  }

  private void begin(FrozenStory story) throws Exception {
    story.disk("disk");
    story.disk("other");
    awaitReserve();
  }

  private void awaitReserve() {
    Awaitility.await()
        .until(() ->
            Files.exists(here.resolve("ballast"))
                && Files.size(here.resolve("ballast")) == Ballast.BYTES
                && reserved() == Ballast.FILES);
  }

  private int reserved() throws IOException {
    Path reserve = here.resolve("reserve");
    if (!Files.exists(reserve)) {
      return 0;
    }
    try (var files = Files.list(reserve)) {
      return (int) files.count();
    }
  }

  /** Other writers to the storage, which take all that is free. */
  private interface Others {
    void takeAll() throws IOException;
  }

  /** Opens use no more than half of the reserve, and the rest stays for removals. */
  private static void usedAndRemoved(FrozenStory story, Others others) throws Exception {
    StorageException refusal =
        catchThrowableOfType(StorageException.class, () -> story.disk("more"));
    assertThat(refusal.code()).isEqualTo(ErrorCode.NO_SPACE);
    story.commit(new OpenImage("machine", "disk", false, "story", null, null));
    story.commit(new CloseImage("disk", "machine"));
    StorageException last = null;
    int opens = 0;
    while (last == null) {
      String open = "reader-" + opens++;
      last =
          catchThrowableOfType(
              StorageException.class,
              () -> story.commit(new OpenImage(open, "disk", true, "story", null, null)));
      others.takeAll();
      assertThat(opens).isLessThan(1_000);
    }
    assertThat(last.code()).isEqualTo(ErrorCode.NO_SPACE);
    assertThat(opens).isGreaterThan(10);
    story.commit(new CloseImage("disk", "reader-0"));
    others.takeAll();
    story.commit(new RemoveImage("other", true, Duration.ZERO, false));
    assertThat(story.state().visibleImage("other")).isNull();
  }

  private void takeAllInodes() throws IOException {
    Files.createDirectories(here.resolve("fillers"));
    try {
      while (true) {
        Files.createFile(here.resolve("fillers").resolve("file." + fillers));
        fillers++;
      }
    } catch (IOException full) {
      assertThat(full).hasMessageContaining("No space left");
    }
  }

  private void takeAllBytes() throws IOException {
    try (var out =
        Files.newOutputStream(
            here.resolve("filler"), StandardOpenOption.CREATE, StandardOpenOption.APPEND)) {
      byte[] piece = new byte[512];
      while (true) {
        out.write(piece);
      }
    } catch (IOException full) {
      assertThat(full).hasMessageContaining("No space left");
    }
  }
}
