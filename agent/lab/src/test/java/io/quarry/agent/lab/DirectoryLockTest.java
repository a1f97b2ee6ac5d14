package io.quarry.agent.lab;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quarry.common.api.StorageException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class DirectoryLockTest {
  @TempDir Path directory;

  @Test
  void secondOneIsRefusedWhileTheFirstRuns() throws Exception {
    try (DirectoryLock _ = DirectoryLock.take(directory)) {
      assertThatThrownBy(() -> DirectoryLock.take(directory))
          .isInstanceOf(StorageException.class)
          .hasMessageContaining(directory + " is in use by pid " + ProcessHandle.current().pid());
    }
    DirectoryLock.take(directory).close();
  }
}
