package io.quarry.agent.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.awaitility.Awaitility.await;

import io.quarry.agent.data.SmallStorage;
import io.quarry.agent.data.os.AsUser;
import io.quarry.agent.data.os.FileModes;
import io.quarry.agent.data.os.Folder;
import io.quarry.agent.data.os.NativeFile;
import io.quarry.agent.data.process.Children;
import io.quarry.agent.data.process.Spawner;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.StorageException;
import io.quarry.coordinator.thread.Supervisor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
final class StorageIoTest {
  private static final Duration SOON = Duration.ofMillis(20);
  private static final Duration LATER = Duration.ofSeconds(30);

  /** A resource that counts how often it was closed. */
  private record ImageAttachment(AtomicInteger closed) {
    ImageAttachment() {
      this(new AtomicInteger());
    }

    void close() {
      closed.incrementAndGet();
    }
  }

  @Test
  void lateResultIsClosed() {
    CountDownLatch answers = new CountDownLatch(1);
    ImageAttachment opened = new ImageAttachment();
    try (StorageIo io = new StorageIo(new Supervisor())) {
      StorageException refusal =
          catchThrowableOfType(
              StorageException.class,
              () ->
                  io.open("slow", SOON, () -> afterwards(answers, opened), ImageAttachment::close));
      assertThat(refusal.code()).isEqualTo(ErrorCode.REPOSITORY_UNRESPONSIVE);
      assertThat(opened.closed()).hasValue(0);
      answers.countDown();
      await().until(() -> opened.closed().get() == 1);
    }
  }

  @Test
  void resultInTimeBelongsToTheCaller() {
    try (StorageIo io = new StorageIo(new Supervisor())) {
      ImageAttachment opened = io.open("fast", LATER, ImageAttachment::new, ImageAttachment::close);
      assertThat(opened.closed()).hasValue(0);
    }
  }

  @Test
  void storageThatHangsLeavesThreadsToOthers() {
    CountDownLatch answers = new CountDownLatch(1);
    try (StorageIo io = new StorageIo(new Supervisor())) {
      for (int call = 0; call < StorageIo.CALLS_PER_STORAGE_MAX; call++) {
        assertUnresponsive(io, answers);
      }
      assertThat(assertUnresponsive(io, answers).getMessage()).contains("too many calls");
      assertThat(io.call("sound", () -> "well")).isEqualTo("well");

      answers.countDown();
      await()
          .ignoreExceptions()
          .untilAsserted(() -> assertThat(io.call("hangs", () -> "back")).isEqualTo("back"));
    }
  }

  @Test
  void failureIsToldWithItsReason() {
    try (StorageIo io = new StorageIo(new Supervisor())) {
      StorageException refusal =
          catchThrowableOfType(
              StorageException.class,
              () ->
                  io.call(
                      "gone",
                      () -> {
                        throw new IOException("stale file handle");
                      }));
      assertThat(refusal.code()).isEqualTo(ErrorCode.REPOSITORY_UNRESPONSIVE);
      assertThat(refusal.subject()).isEqualTo("gone");
      assertThat(refusal.getMessage()).contains("stale file handle");
    }
  }

  /** 12.19: the agent judged by the message's text, which depends on the locale. */
  @Test
  void fullStorageIsToldAsSuch(@TempDir Path mountPoint) throws Exception {
    try (StorageIo io = new StorageIo(new Supervisor());
        SmallStorage small = SmallStorage.mounted(mountPoint, "size=1m");
        Folder folder = Folder.open(small.root());
        NativeFile file = folder.createNew("x", FileModes.VOLUME)) {
      StorageException refusal =
          catchThrowableOfType(
              StorageException.class,
              () ->
                  io.call(
                      "full",
                      () -> {
                        file.write(0, new byte[2 << 20]);
                        return true;
                      }));
      assertThat(refusal.code()).isEqualTo(ErrorCode.NO_SPACE);
      assertThat(refusal.subject()).isEqualTo("full");
    }
  }

  /** 12.7 */
  @Test
  void readOnlyStorageIsToldAsSuch(@TempDir Path mountPoint) throws Exception {
    try (StorageIo io = new StorageIo(new Supervisor());
        SmallStorage small = SmallStorage.mounted(mountPoint, "size=1m");
        Folder folder = Folder.open(small.root())) {
      small.makeReadOnly();
      StorageException refusal =
          catchThrowableOfType(
              StorageException.class,
              () -> io.call("full", () -> folder.createNew("x", FileModes.VOLUME)));
      assertThat(refusal.remedy()).startsWith("mount the storage");
    }
  }

  /** 12.17: a killed tool is a failure of this host, and not of the storage or the file. */
  @Test
  void killedToolIsTroubleOfTheHost() {
    Children children = new Children(new Spawner(), "test");
    try (StorageIo io = new StorageIo(new Supervisor())) {
      StorageException refusal =
          catchThrowableOfType(
              StorageException.class,
              () ->
                  io.call(
                      "main",
                      () -> children.run(List.of("sh", "-c", "kill -KILL $$"), LATER).orFail()));
      assertThat(refusal.code()).isEqualTo(ErrorCode.AGENT_UNAVAILABLE);
      assertThat(refusal).hasMessageContaining("killed by signal 9");
    }
  }

  private static StorageException assertUnresponsive(StorageIo io, CountDownLatch answers) {
    StorageException refusal =
        catchThrowableOfType(
            StorageException.class,
            () -> io.call("hangs", SOON, () -> afterwards(answers, "late")));
    assertThat(refusal.code()).isEqualTo(ErrorCode.REPOSITORY_UNRESPONSIVE);
    return refusal;
  }

  private static <T> T afterwards(CountDownLatch answers, T result) throws InterruptedException {
    answers.await();
    return result;
  }

  /** 20.3: one file of another user is no failure of the storage, and waiting does not help. */
  @Test
  void forbiddenFileIsNotTheStoragesFailure(@TempDir Path directory) throws Exception {
    try (Folder folder = Folder.open(directory);
        StorageIo io = new StorageIo(new Supervisor())) {
      folder.createNew("v.1.raw", 0600).close();
      Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
      AtomicReference<IOException> failure = new AtomicReference<>();
      AsUser.run(() ->
          failure.set(
              catchThrowableOfType(IOException.class, () -> folder.openRead("v.1.raw").close())));
      StorageException refusal =
          catchThrowableOfType(
              StorageException.class,
              () ->
                  io.call(
                      "main",
                      () -> {
                        throw new IOException("the image cannot be read", failure.get());
                      }));
      assertThat(refusal.code()).isEqualTo(ErrorCode.VOLUME_FORBIDDEN);
      assertThat(refusal.getMessage()).contains("belongs to user 0 and group 0, mode 0600");
      assertThat(refusal.remedy()).contains("chown ").contains(folder.path("v.1.raw").toString());
    }
  }
}
