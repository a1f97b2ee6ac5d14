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

/** The things that may have a file's name in a repository, and how a folder must handle them. */
public enum OddFiles {
  LINK_TO_FILE,
  LINK_TO_NOTHING,
  LINK_TO_ENDLESS_ZEROS,
  FIFO,
  DEVICE,
  DIRECTORY;

  /** Code that opens a FIFO as if it were a file waits for ever. */
  private static final Duration FOR_EVER = Duration.ofSeconds(60);

  /**
   * Makes it under the name of a file.
   *
   * @param outside the target of links, which no call may touch
   */
  public void make(Path place, Path outside) throws IOException {
    switch (this) {
      case LINK_TO_FILE -> Files.createSymbolicLink(place, outside);
      case LINK_TO_NOTHING -> Files.createSymbolicLink(place, outside.resolveSibling("nothing"));
      case LINK_TO_ENDLESS_ZEROS -> Files.createSymbolicLink(place, Path.of("/dev/zero"));
      case FIFO -> run("mkfifo", place.toString());
      // Without root it becomes a FIFO, which is refused, too.
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

  /** Checks that the call is refused at once and opens no file. */
  public static void refused(ThrowingCallable call) {
    IOException failure =
        assertTimeoutPreemptively(FOR_EVER, () -> catchThrowableOfType(IOException.class, call));
    assertThat(failure).isNotNull();
    assertThat(FileFailure.kindOf(failure))
        .as(failure.getMessage())
        .isEqualTo(FileFailure.Kind.REFUSED);
  }
}
