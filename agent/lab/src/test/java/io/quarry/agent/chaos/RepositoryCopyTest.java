package io.quarry.agent.chaos;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class RepositoryCopyTest {
  private static final String FIRST = "0000000000000001.record";
  private static final String SECOND = "0000000000000002.record";
  private static final String THIRD = "0000000000000003.record";

  @TempDir private Path directory;

  @BeforeEach
  void make() throws IOException {
    for (String folder : new String[] {"log", "volumes", "fixes", "tmp"}) {
      Files.createDirectories(original().resolve(folder));
    }
    Files.writeString(original().resolve("repository.json"), "key");
    Files.writeString(original().resolve("canary.host-1"), "first");
    Files.writeString(original().resolve("volumes").resolve("v.1.raw"), "data");
    for (String name : new String[] {"head", FIRST, SECOND}) {
      Files.writeString(original().resolve("log").resolve(name), name);
    }
  }

  private Path original() {
    return directory.resolve("original");
  }

  private Path copied() {
    return directory.resolve("copy");
  }

  @Test
  void copyHasKeyCanariesAndLogAndNoVolumes() throws IOException {
    RepositoryCopy copy = RepositoryCopy.take(original(), copied());
    assertThat(copied().resolve("repository.json")).hasContent("key");
    assertThat(copied().resolve("log").resolve(SECOND)).hasContent(SECOND);
    assertThat(copied().resolve("log").resolve("head")).hasContent("head");
    assertThat(copied().resolve("volumes")).isEmptyDirectory();
    assertThat(copy.newest()).isEqualTo(2);
  }

  @Test
  void beatOfTheOriginalDistinguishesTheCopy() throws IOException {
    RepositoryCopy copy = RepositoryCopy.take(original(), copied());
    assertThat(copy.lacksCanary()).isFalse();
    Files.writeString(original().resolve("canary.host-1"), "second");
    assertThat(copy.lacksCanary()).isTrue();
  }

  @Test
  void recordThatComesToTheCopyIsSeen() throws IOException {
    RepositoryCopy copy = RepositoryCopy.take(original(), copied());
    Files.writeString(original().resolve("log").resolve(THIRD), "of the original");
    Files.writeString(copied().resolve("canary.host-2"), "no record");
    assertThat(copy.committed()).isEmpty();
    Files.writeString(copied().resolve("log").resolve(THIRD), "of the copy");
    assertThat(copy.committed()).containsExactly(THIRD);
  }
}
