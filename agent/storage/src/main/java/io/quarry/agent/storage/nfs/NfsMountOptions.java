package io.quarry.agent.storage.nfs;

import static io.quarry.agent.storage.directory.DirectoryConnection.unusable;

import io.quarry.agent.data.os.Mount;
import io.quarry.common.api.StorageException;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The options of an NFS mount: those that the agent asks for, and those that safety needs. */
final class NfsMountOptions {
  /** Newest first: 4.2 shares blocks and knows holes. */
  private static final List<String> VERSIONS = List.of("4.2", "4.1");

  private static final String ALWAYS = "hard,nosharecache,lookupcache=positive";
  private static final Set<String> SAFE_LOOKUPS = Set.of("pos", "positive", "none");

  private NfsMountOptions() {}

  /** The versions of the protocol to try, in that order. */
  static List<String> versions(NfsExport export) {
    String chosen = export.options().get(NfsExport.VERSION);
    return chosen == null ? VERSIONS : List.of(chosen);
  }

  /** The options of the mount call, without the server's address. */
  static String of(NfsExport export, String version) {
    Stream<String> chosen =
        export.options().entrySet().stream()
            .filter(option -> !option.getKey().equals(NfsExport.VERSION))
            .map(option -> option.getKey() + "=" + option.getValue())
            .sorted();
    return Stream.concat(Stream.of("vers=" + version, ALWAYS), chosen)
        .collect(Collectors.joining(","));
  }

  /**
   * Refuses a mount whose options endanger the repository.
   *
   * @param place the directory that is to be connected
   */
  static void requireSafe(Mount mount, Path place) {
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
    return escaped(mount.source())
        + " "
        + escaped(mount.point().toString())
        + " nfs vers=4.2,"
        + ALWAYS
        + ",noatime 0 0";
  }

  private static String escaped(String word) {
    return word.replace("\\", "\\134").replace(" ", "\\040").replace("\t", "\\011");
  }
}
