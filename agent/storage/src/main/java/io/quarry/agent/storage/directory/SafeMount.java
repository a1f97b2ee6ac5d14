package io.quarry.agent.storage.directory;

import static io.quarry.agent.storage.directory.DirectoryConnection.unusable;

import io.quarry.agent.data.os.Folder;
import io.quarry.agent.data.os.Mount;
import io.quarry.agent.data.os.MountTable;
import io.quarry.common.api.StorageException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The options of an NFS mount that safety needs. */
public final class SafeMount {
  /** The safe versions of the protocol. Newest first: 4.2 shares blocks and knows holes. */
  public static final List<String> VERSIONS = List.of("4.2", "4.1");

  /** The options of a safe mount, besides the version. */
  public static final String OPTIONS = "hard,nosharecache,lookupcache=positive";

  private static final Set<String> SAFE_LOOKUPS = Set.of("pos", "positive", "none");

  /** Options without which the mount may not reach its server. */
  private static final List<String> KEPT = List.of("port", "proto", "sec");

  private SafeMount() {}

  /** Refuses the open folder if the options of its mount endanger the repository. */
  public static void require(Folder root) throws IOException {
    require(
        MountTable.read()
            .of(root)
            .orElseThrow(() ->
                unusable(
                    root.path(),
                    "the kernel does not say with which options " + root.path() + " is mounted",
                    "use Linux 5.8 or later")),
        root.path());
  }

  /**
   * Refuses a mount whose options endanger the repository.
   *
   * @param place the directory that is to be connected
   */
  public static void require(Mount mount, Path place) {
    if (!mount.type().startsWith("nfs")) {
      throw unusable(
          place,
          place + " is on a filesystem of type " + mount.type() + ", not on NFS",
          "connect the directory as localfs-1.0, or mount the file server's export there");
    }
    String version = mount.option("vers");
    if (version.startsWith("3") || version.startsWith("2") || mount.type().equals("nfs")) {
      throw refusal(
          mount,
          place,
          "vers=" + version,
          "NFS 3 keeps the locks of a dead host until that host is back");
    }
    if (!VERSIONS.contains(version)) {
      throw refusal(
          mount,
          place,
          "vers=" + version,
          "NFS 4.0 has no sessions, so a repeated request may run twice");
    }
    if (!mount.has("hard")) {
      throw refusal(
          mount,
          place,
          mount.has("softerr") ? "softerr" : "soft",
          "after a timeout the client gives up writes whose outcome is unknown");
    }
    if (!mount.option("local_lock").equals("none")) {
      throw refusal(
          mount,
          place,
          "local_lock=" + mount.option("local_lock"),
          "other hosts do not see the locks of this host");
    }
    if (mount.has("nocto")) {
      throw refusal(mount, place, "nocto", "this host reads old data of files that others wrote");
    }
    if (!SAFE_LOOKUPS.contains(mount.option("lookupcache"))) {
      throw refusal(
          mount,
          place,
          mount.has("lookupcache")
              ? "lookupcache=" + mount.option("lookupcache")
              : "lookupcache=all",
          "this host misses new records of other hosts for half a minute");
    }
  }

  private static StorageException refusal(Mount mount, Path place, String option, String why) {
    return unusable(
        place,
        place + " is mounted with " + option + ": " + why,
        "unmount "
            + mount.point()
            + ", put this line into /etc/fstab, and mount it again: "
            + fstab(mount));
  }

  /** As fstab spells it: spaces and tabs in octal. */
  private static String fstab(Mount mount) {
    String version = mount.option("vers");
    Stream<String> kept =
        KEPT.stream().filter(mount::has).map(name -> name + "=" + mount.option(name));
    return escaped(mount.source())
        + " "
        + escaped(mount.point().toString())
        + " nfs vers="
        + (VERSIONS.contains(version) ? version : VERSIONS.getFirst())
        + ","
        + OPTIONS
        + ",noatime"
        + kept.map(option -> "," + option).collect(Collectors.joining())
        + " 0 0";
  }

  private static String escaped(String word) {
    return word.replace("\\", "\\134").replace(" ", "\\040").replace("\t", "\\011");
  }
}
