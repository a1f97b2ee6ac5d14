package io.quarry.agent.data.os;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;

/** What may be in a repository in the place of a file, and what must become of it. */
public enum OddFiles {
  LINK_TO_FILE,
  LINK_TO_NOTHING,
  LINK_TO_ENDLESS_ZEROS,
  FIFO,
  DEVICE,
  DIRECTORY;

  /** Whoever opens a FIFO without a second thought waits for ever. */
  private static final Duration FOR_EVER = Duration.ofSeconds(60);

  /**
   * Makes it in the place of a file.
   *
   * @param outside what a link leads to, and nobody may touch
   */
  public void make(Path place, Path outside) throws IOException {
    switch (this) {
      case LINK_TO_FILE -> Files.createSymbolicLink(place, outside);
      case LINK_TO_NOTHING -> Files.createSymbolicLink(place, outside.resolveSibling("nothing"));
      case LINK_TO_ENDLESS_ZEROS -> Files.createSymbolicLink(place, Path.of("/dev/zero"));
      case FIFO -> run("mkfifo", place.toString());
      // Without root it becomes a FIFO: both are refused.
      case DEVICE -> {
        if (!run("mknod", place.toString(), "c", "1", "5")) {
          run("mkfifo", place.toString());
        }
      }
      case DIRECTORY -> Files.createDirectory(place);
    }
    assertThat(Files.exists(place, java.nio.file.LinkOption.NOFOLLOW_LINKS)).isTrue();
  }

  private static boolean run(String... command) throws IOException {
    return new ProcessBuilder(List.of(command))
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .start()
            .onExit()
            .join()
            .exitValue()
        == 0;
  }

  /** It is not opened, and nobody waits for it. */
  public static void refused(ThrowingCallable call) {
    IOException failure =
        assertTimeoutPreemptively(FOR_EVER, () -> catchThrowableOfType(IOException.class, call));
    assertThat(failure).isNotNull();
    assertThat(FileFailure.kindOf(failure))
        .as(failure.getMessage())
        .isEqualTo(FileFailure.Kind.REFUSED);
  }
}
