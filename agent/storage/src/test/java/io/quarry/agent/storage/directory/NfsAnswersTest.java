package io.quarry.agent.storage.directory;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Answers of the kernel that only an NFS mount gives: a tracer gives them to a real process, on a
 * local filesystem.
 */
@Timeout(120)
final class NfsAnswersTest {
  private static final String SLOT = "0000000000000001.record";

  /** The filesystem's number of NFS, where fstatfs leaves the type. */
  private static final String NFS = "fstatfs:poke_exit=@arg2=6969000000000000";

  @TempDir private Path directory;
  private Path root;

  @BeforeEach
  void make() throws Exception {
    root = Files.createDirectory(directory.resolve("root"));
    Files.createDirectory(root.resolve("tmp"));
    Files.createDirectory(root.resolve("log"));
    Files.writeString(root.resolve("log").resolve(SLOT), "content");
  }

  @Test
  void directoryOnNfsIsNoLocalfs() throws Exception {
    Path empty = Files.createDirectory(directory.resolve("empty"));
    assertThat(said("fstatfs", NFS, List.of(empty), "connect", empty.toString()))
        .singleElement()
        .asString()
        .startsWith("REPOSITORY_UNUSABLE: " + empty + " is on NFS")
        .contains("connect it as nfs-3.4");
    assertThat(empty).isEmptyDirectory();
  }

  /** The tracer changes no table of mounts, so the table still names the local filesystem. */
  @Test
  void localfsThatIsOnNfsAlreadyHasItsMountChecked() throws Exception {
    Path made = Files.createDirectory(directory.resolve("made"));
    new LocalfsFormat().connect(Map.of("path", made.toString()), true, "a@life").close();
    assertThat(said("fstatfs", NFS, List.of(made), "connect", made.toString()))
        .singleElement()
        .asString()
        .startsWith("REPOSITORY_UNUSABLE: " + made + " is on a filesystem of type ");
  }

  /** A client knows the name of a file that was replaced or removed elsewhere. */
  @Test
  void staleNameIsLookedUpOnceMore() throws Exception {
    assertThat(slot("openat", "openat:error=ESTALE:when=1", "read")).containsExactly("content");
    assertThat(slot("openat", "openat:error=ESTALE:when=1", "open")).containsExactly("content");
  }

  @Test
  void nameThatStaysStaleIsFree() throws Exception {
    assertThat(slot("openat", "openat:error=ESTALE", "read")).containsExactly("free");
    assertThat(slot("openat", "openat:error=ESTALE", "open")).containsExactly("free");
  }

  /** The file was removed elsewhere after this process had opened the file. */
  @Test
  void staleFileIsOpenedOnceMore() throws Exception {
    assertThat(slot("pread64", "pread64:error=ESTALE:when=1", "read")).containsExactly("content");
    assertThat(slot("pread64", "pread64:error=ESTALE", "read")).containsExactly("free");
  }

  /** A server may refuse bytes as late as they are forced. */
  @Test
  void recordThatTheServerHasNoRoomForIsNotStarted() throws Exception {
    String slot = "0000000000000002.record";
    List<Path> written = List.of(root.resolve("tmp").resolve("a.1." + slot));
    assertThat(said("fsync", "fsync:error=EDQUOT", written, "put", root.toString(), slot))
        .singleElement()
        .asString()
        .startsWith("not started, full true: ")
        .contains("Disk quota exceeded");
    assertThat(root.resolve("log").resolve(slot)).doesNotExist();
  }

  /** The kernel reports lost bytes once, and then takes their pages for clean. */
  @Test
  void fileThatLostBytesIsNotTrustedAnyMore() throws Exception {
    Path file = Files.createFile(root.resolve("v.1.raw"));
    String lost = "fdatasync:error=ENOSPC:when=1";
    assertThat(said("fdatasync", lost, List.of(file), "flush", root.toString(), "v.1.raw"))
        .satisfiesExactly(
            first -> assertThat(first).contains("No space left on device"),
            second -> assertThat(second).contains("an earlier flush failed; write it anew"));
  }

  /** The server keeps the locks of a dead host for some time. */
  @Test
  void lockedFileOnNfsMayBeThatOfADeadHost() throws Exception {
    Path file = Files.createFile(root.resolve("v.1.raw"));
    assertThat(said("fstatfs", NFS, List.of(file), "lock", root.toString(), "v.1.raw"))
        .satisfiesExactly(
            locked -> assertThat(locked).isEqualTo("locked true"),
            refused ->
                assertThat(refused)
                    .contains("another process is using this image")
                    .contains("the file server still holds the lock of a dead host"));
  }

  private List<String> slot(String call, String inject, String command) throws Exception {
    List<Path> paths = List.of(Path.of(SLOT), root.resolve("log").resolve(SLOT));
    return said(call, inject, paths, command, root.toString(), SLOT);
  }

  /**
   * @param paths whose calls the tracer answers
   */
  private List<String> said(String call, String inject, List<Path> paths, String... arguments)
      throws Exception {
    List<String> words = new ArrayList<>(List.of("strace", "-f", "-qq", "-o", "/dev/null"));
    paths.forEach(path -> words.addAll(List.of("-P", path.toString())));
    words.addAll(List.of("-e", "trace=" + call, "-e", "inject=" + inject));
    words.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    words.add("--enable-native-access=ALL-UNNAMED");
    words.addAll(List.of("-cp", System.getProperty("java.class.path")));
    words.add(FaultyStorage.class.getName());
    words.addAll(List.of(arguments));
    Path errors = directory.resolve("errors");
    Process process = new ProcessBuilder(words).redirectError(errors.toFile()).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as(Files.readString(errors)).isZero();
    return output
        .lines()
        .filter(line -> line.startsWith(FaultyStorage.SAID))
        .map(line -> line.substring(FaultyStorage.SAID.length()))
        .toList();
  }
}
