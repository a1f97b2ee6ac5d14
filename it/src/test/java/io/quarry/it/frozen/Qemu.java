package io.quarry.it.frozen;

import static org.assertj.core.api.Assertions.assertThat;

import io.quarry.agent.dev.Pids;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A QEMU process outside of Quarry, which has a file open until the test closes it. */
final class Qemu implements AutoCloseable {
  /** Another user than the agent's; both share a group. */
  static final int USER = 12_347;

  static final int GROUP = 12_346;

  private final Path pidFile;

  private Qemu(Path pidFile) {
    this.pidFile = pidFile;
  }

  /** The words before a tool's command that run the tool as that user. */
  static List<String> asItsUser(String... words) {
    List<String> all =
        new ArrayList<>(
            List.of("setpriv", "--reuid", "" + USER, "--regid", "" + GROUP, "--clear-groups"));
    all.addAll(List.of(words));
    return all;
  }

  /** Returns when the process holds the file. */
  static Qemu holding(Path directory, String file, String format, boolean writing)
      throws Exception {
    Path pidFile = directory.resolve("qemu.pid");
    Path socket = directory.resolve("qemu.socket");
    Files.deleteIfExists(socket);
    run(
        List.of(
            "qemu-storage-daemon",
            "--blockdev",
            "driver=file,node-name=held-file,filename=" + file + readOnly(writing),
            "--blockdev",
            "driver=" + format + ",node-name=held,file=held-file" + readOnly(writing),
            "--nbd-server",
            "addr.type=unix,addr.path=" + socket,
            "--export",
            "type=nbd,id=export,node-name=held,writable=" + (writing ? "on" : "off"),
            "--daemonize",
            "--pidfile",
            pidFile.toString()));
    return new Qemu(pidFile);
  }

  private static String readOnly(boolean writing) {
    return ",read-only=" + (writing ? "off" : "on");
  }

  static void run(List<String> words) throws IOException, InterruptedException {
    // A background process would keep a pipe open.
    Path said = Files.createTempFile("qemu", ".said");
    Process process =
        new ProcessBuilder(words).redirectErrorStream(true).redirectOutput(said.toFile()).start();
    assertThat(process.waitFor()).as("%s: %s", words, Files.readString(said)).isZero();
    Files.delete(said);
  }

  /** The output of a tool that has to fail. */
  static String failing(List<String> words) throws IOException, InterruptedException {
    Process process = new ProcessBuilder(words).redirectErrorStream(true).start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as("%s: %s", words, said).isNotZero();
    return said;
  }

  @Override
  public void close() throws IOException {
    long pid = Long.parseLong(Files.readString(pidFile).strip());
    ProcessHandle.of(pid).ifPresent(Pids::kill);
  }
}
