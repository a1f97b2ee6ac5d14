package io.quarry.it.clvm;

import io.quarry.agent.storage.clvm.ClvmConnection.Connected;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;

/**
 * Connects volumes of a real LVM that cannot be used, in a machine of the lab. Prints a line for
 * each refusal.
 */
final class RefusalDrill {
  private static final String GROUP = "spare";
  private static final String PLACE = "vg=spare meta=meta data=data";

  /** The kernel's node of a device. */
  private static final String NODE =
      "node() { echo /dev/dm-$(dmsetup info -c --noheadings -o minor $1); }; ";

  private final Path state;
  private final ClvmHost host;

  private RefusalDrill(Path state) throws IOException {
    this.state = state;
    this.host = new ClvmHost("r", state);
  }

  /** Arguments: a directory without content. */
  public static void main(String[] args) throws Exception {
    Path directory = Files.createDirectories(Path.of(args[0]));
    RefusalDrill drill = new RefusalDrill(directory.resolve("state"));
    bash("modprobe -a loop dm-mod");
    makeGroup(GROUP, directory.resolve("spare.raw"), "512");
    bash("lvcreate -qq -L 64M -n small spare; lvchange -an spare");
    drill.programs();
    drill.names();
    drill.activation();
    drill.devices();
    drill.content();
    drill.repository();
    makeGroup("large", directory.resolve("large.raw"), "4096");
    drill.attempt("SECTORS-OF-4096", "vg=large meta=meta data=data", true);
    saw("SECTOR-BYTES", bash("blockdev --getss $(node large-meta)"));
  }

  private static void makeGroup(String vg, Path file, String sectorBytes)
      throws IOException, InterruptedException {
    bash(
        """
        truncate -s 2G %2$s
        device=$(losetup --find --show --sector-size %3$s %2$s)
        vgcreate -qq %1$s $device
        lvcreate -qq -L 1400M -n meta %1$s
        lvcreate -qq -L 64M -n data %1$s
        """
            .formatted(vg, file, sectorBytes));
  }

  private static void saw(String what, Object value) {
    System.out.println(what + " " + value);
  }

  /** Sees also that the attempt has written no metadata, and has left nothing open. */
  private void attempt(String what, String parameters, boolean create)
      throws IOException, InterruptedException {
    String before = metadata();
    saw(what, host.outcome(parameters, create));
    if (!metadata().equals(before)) {
      saw("WROTE-METADATA", what);
    }
    // LVM itself keeps its internal devices open.
    String open =
        bash(
            "dmsetup info --columns --noheadings --options open,name"
                + " | grep -E '^[1-9][0-9]*:[a-z]+-(meta|data|small|fake)$' || true");
    if (!open.isEmpty()) {
      saw("LEFT-OPEN", what + " " + open);
    }
  }

  private static String metadata() throws IOException, InterruptedException {
    return bash("vgs --noheadings --options vg_name,vg_seqno");
  }

  /** Hosts that lack a program or a right. */
  private void programs() throws IOException, InterruptedException {
    Path programs = Files.createDirectories(state.resolve("bin"));
    bash("ln -s $(command -v setpriv) " + programs);
    saw("NO-LVM", child("env", "PATH=" + programs));
    saw("NO-RIGHT", child("setpriv", "--bounding-set", "-sys_admin"));
  }

  private String child(String... prefix) throws IOException, InterruptedException {
    String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
    String classes = Objects.requireNonNull(System.getProperty("java.class.path"));
    String printed =
        bash(
            "%s %s --enable-native-access=ALL-UNNAMED -cp %s %s c %s outcome '%s'"
                .formatted(
                    String.join(" ", prefix),
                    java,
                    classes,
                    ClvmHost.class.getName(),
                    state.resolve("child"),
                    PLACE));
    return printed
        .lines()
        .filter(line -> line.startsWith("OUTCOME "))
        .findAny()
        .orElse(printed)
        .replace("OUTCOME ", "");
  }

  private void names() throws IOException, InterruptedException {
    attempt("NO-GROUP", "vg=nowhere", true);
    attempt("NO-META", "vg=spare meta=none data=data", true);
    attempt("NO-DATA", "vg=spare meta=meta data=none", true);
  }

  private void activation() throws IOException, InterruptedException {
    bash("lvchange -an spare; vgexport -qq spare");
    attempt("EXPORTED", PLACE, true);
    bash("vgimport -qq spare; lvchange -an spare; lvchange --setactivationskip y spare/data");
    attempt("SKIPPED", PLACE, true);
    bash("lvchange --setactivationskip n spare/data");
  }

  private void devices() throws IOException, InterruptedException {
    attempt("SMALL", "vg=spare meta=small data=data", true);
    bash("dmsetup create spare-fake --table '0 4194304 zero'");
    attempt("NO-LOGICAL-VOLUME", "vg=spare meta=fake data=data", true);
    bash("dmsetup remove spare-fake; lvcreate -qq -s -L 16M -n snap spare/data");
    attempt("SNAPSHOT", PLACE, true);
    bash("lvremove -qq -f spare/snap; lvchange -qq --permission r spare/data");
    attempt("READ-ONLY", PLACE, true);
    bash("lvchange -qq --permission rw spare/data");
  }

  private void content() throws IOException, InterruptedException {
    attempt("NO-REPOSITORY", PLACE, false);
    bash("mkfs.ext4 -q $(node spare-meta)");
    String before = beginning();
    attempt("FILESYSTEM", PLACE, true);
    bash("wipefs -qa $(node spare-meta); mkswap $(node spare-data)");
    String wiped = beginning();
    attempt("SWAP", PLACE, true);
    saw("BEGINNINGS", !before.equals(wiped) && wiped.equals(beginning()));
    bash("wipefs -qa $(node spare-data)");
  }

  /** Where the splitters, the cells and the genesis record are. */
  private static String beginning() throws IOException, InterruptedException {
    return bash("dd if=$(node spare-meta) bs=1M count=48 iflag=direct status=none | md5sum");
  }

  private void repository() throws IOException, InterruptedException {
    bash("lvchange -an spare");
    attempt("CREATED", PLACE + " owner=107 group=108", true);
    attempt("FOUND", PLACE + " owner=107", false);
    attempt("FOUND-BY-CREATE", PLACE, true);
    attempt("OTHER-DATA", PLACE.replace("data=data", "data=small"), true);
    attempt("OTHER-OWNER", PLACE + " owner=5", false);
    try (Connected connected = host.connect(PLACE, false)) {
      saw("OWNERS", connected.genesis().owner() + " " + connected.genesis().group());
      saw("SAME-STATE-DIRECTORY", host.outcome(PLACE, false));
    }
  }

  /** No udevd runs in the machine, so LVM makes its nodes itself. */
  private static String bash(String script) throws IOException, InterruptedException {
    ProcessBuilder builder = new ProcessBuilder("bash", "-euo", "pipefail", "-c", NODE + script);
    builder.environment().put("DM_DISABLE_UDEV", "1");
    Process process = builder.redirectErrorStream(true).start();
    String said =
        new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
    if (process.waitFor() != 0) {
      throw new IOException(script + ": " + said);
    }
    return said;
  }
}
