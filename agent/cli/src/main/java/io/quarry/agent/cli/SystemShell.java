package io.quarry.agent.cli;

import io.quarry.common.client.ClientSettings;
import io.quarry.common.client.StorageClient;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;

/** The shell of a real process. */
final class SystemShell {
  private static final Path STANDARD_ERROR = Path.of("/proc/self/fd/2");

  /** Long enough for a failover; a user with a mistyped address must not wait much longer. */
  private static final Duration PATIENCE = Duration.ofSeconds(10);

  private SystemShell() {}

  static Shell create() {
    return new Shell(
        agents -> new StorageClient(agents, ClientSettings.within(PATIENCE)),
        System.getenv(),
        System.in,
        watched(),
        new SystemTime());
  }

  /** Java's console is about standard input and output, but progress goes to standard error. */
  private static boolean watched() {
    try {
      Path target = Files.readSymbolicLink(STANDARD_ERROR);
      return (target.startsWith("/dev/pts") || target.toString().startsWith("/dev/tty"))
          && !"dumb".equals(System.getenv("TERM"));
    } catch (IOException e) {
      return false;
    }
  }

  private static final class SystemTime implements Shell.Time {
    @Override
    public long nanos() {
      return System.nanoTime();
    }

    @Override
    public void pause(Duration duration) {
      try {
        Thread.sleep(duration);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
