package io.quarry.agent.storage.directory;

import io.quarry.agent.data.os.FileFailure;
import io.quarry.agent.data.os.FileModes;
import io.quarry.agent.data.os.FileStatus;
import io.quarry.agent.data.os.Folder;
import io.quarry.agent.data.os.NativeFile;
import io.quarry.agent.data.os.Users;
import io.quarry.agent.storage.Genesis;
import io.quarry.agent.storage.RepositoryFormat;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.Json;
import io.quarry.common.api.StorageException;
import io.quarry.coordinator.log.CommitLog;
import io.quarry.coordinator.log.LogTooNewException;
import io.quarry.coordinator.plan.Feature;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** A directory on any POSIX filesystem, also one that several hosts have mounted. */
public final class LocalfsFormat implements RepositoryFormat {
  static final String NAME = "localfs-1.0";
  private static final String PATH = "path";
  private static final String GROUP = "group";
  private static final String IMMUTABLE = "immutable";
  private static final Set<String> PARAMETERS = Set.of(PATH, GROUP, IMMUTABLE);
  private static final String TEMPORARY = "tmp";
  private static final String VOLUMES = "volumes";
  private static final List<String> DIRECTORIES = List.of("log", "fixes", VOLUMES, TEMPORARY);

  /** A genesis record has 300 bytes. */
  static final int GENESIS_BYTES_MAX = 64 << 10;

  /** Fields without which a genesis record cannot name or sign. */
  private static final List<String> GENESIS_FIELDS = List.of("key", "createdAt", "fixSecret");

  /** Names that a fresh filesystem may contain and still count as empty. */
  private static final Set<String> HARMLESS = Set.of("lost+found");

  private static final int SECRET_BYTES = 32;

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public void checkParameters(Map<String, String> parameters) {
    for (String name : parameters.keySet()) {
      if (!PARAMETERS.contains(name)) {
        throw StorageException.invalid(
            "connectionParameters." + name,
            NAME + " has no parameter " + name,
            "give path, the repository's directory, and, if at all, group, that of the volumes, and"
                + " immutable");
      }
    }
    String path = parameters.get(PATH);
    if (path == null || !path.startsWith("/") || path.indexOf('\0') >= 0) {
      throw StorageException.invalid(
          "connectionParameters.path",
          path == null ? "path is missing" : "path is not absolute: " + path,
          "give the absolute path of the repository's directory");
    }
    var _ = group(parameters);
    var _ = immutable(parameters);
  }

  private static boolean immutable(Map<String, String> parameters) {
    return switch (parameters.getOrDefault(IMMUTABLE, "false")) {
      case "true" -> true;
      case "false" -> false;
      default ->
          throw StorageException.invalid(
              "connectionParameters.immutable",
              "immutable is neither true nor false: " + parameters.get(IMMUTABLE),
              "give immutable as true or false");
    };
  }

  private static int group(Map<String, String> parameters) {
    String group = parameters.get(GROUP);
    if (group == null) {
      return DirectoryVolumes.ANY_GROUP;
    }
    return Users.group(group)
        .orElseThrow(() ->
            StorageException.invalid(
                "connectionParameters.group",
                "this host has no group " + group,
                "name the group that QEMU runs in, for example kvm, or give its number"));
  }

  @Override
  public DirectoryStorage connect(Map<String, String> parameters, boolean create, String writer) {
    checkParameters(parameters);
    Path path = Path.of(String.valueOf(parameters.get(PATH))).normalize();
    try (Folder root = Folder.open(path)) {
      Genesis genesis = genesis(root, create, writer);
      makeDirectories(root);
      long largestFile = probe(root, writer);
      int group = group(parameters);
      if (group != DirectoryVolumes.ANY_GROUP) {
        giveVolumes(root, group);
      }
      DirectoryVolumes.Protection protection = protection(root, group, immutable(parameters));
      return open(Folder.open(path), genesis, largestFile, protection, writer);
    } catch (IOException e) {
      if (!Files.isDirectory(path)) {
        throw unusable(
            path,
            "there is no directory " + path,
            "make the directory, or mount what belongs there");
      }
      throw unusable(
          path,
          path + " cannot be used: " + e.getMessage(),
          "see that this host may write there and that the filesystem has hard links and locks");
    }
  }

  /**
   * QEMU opens files in the volumes' folder. The files themselves are given to the group later, one
   * by one.
   */
  private static void giveVolumes(Folder root, int group) throws IOException {
    if (root.status(VOLUMES).gid() == group) {
      return;
    }
    try (Folder volumes = root.folder(VOLUMES)) {
      volumes.setGroup(group);
    } catch (FileFailure e) {
      throw unusable(
          root.path(),
          root.path(VOLUMES) + " cannot be given to group " + group + ": " + e.getMessage(),
          "make the agent's user a member of the group, and the owner of the directory");
    }
  }

  private static DirectoryVolumes.Protection protection(Folder root, int group, boolean immutable)
      throws IOException {
    try (Folder temporary = root.folder(TEMPORARY)) {
      boolean modes = Probe.keepsModes(temporary);
      FileFailure notImmutable = notImmutable(temporary);
      if (immutable && notImmutable != null) {
        throw unusable(
            root.path(),
            root.path() + " has no immutable files for this agent: " + notImmutable.getMessage(),
            "run the agent as root or with CAP_LINUX_IMMUTABLE, on XFS, ext4 or btrfs, or connect"
                + " without the parameter immutable");
      }
      return new DirectoryVolumes.Protection(group, modes, immutable, notImmutable == null);
    }
  }

  /** The reason why this agent cannot make files immutable there; null when it can. */
  private static @Nullable FileFailure notImmutable(Folder temporary) throws IOException {
    try {
      Probe.immutable(temporary);
      return null;
    } catch (FileFailure e) {
      if (e.kind() == FileFailure.Kind.NO_SPACE) {
        throw e;
      }
      return e;
    }
  }

  /** On a full storage the reserve provides the space that the probe takes for a moment. */
  private static long probe(Folder root, String writer) throws IOException {
    try (Folder temporary = root.folder(TEMPORARY);
        DirectorySlotStore slots = new DirectorySlotStore(Folder.open(root.path()), writer)) {
      return slots.fromReserve(() -> {
        Probe.run(temporary);
        return Probe.largestFile(temporary, DirectoryStorage.LARGEST_FILE_ASKED);
      });
    }
  }

  private static DirectoryStorage open(
      Folder root,
      Genesis genesis,
      long largestFile,
      DirectoryVolumes.Protection protection,
      String writer)
      throws IOException {
    try {
      return new DirectoryStorage(root, genesis, largestFile, protection, writer);
    } catch (IOException | RuntimeException e) {
      root.close();
      throw e;
    }
  }

  /** Each directory must be on this very storage: a link would lead to another one. */
  private static void makeDirectories(Folder root) throws IOException {
    for (String directory : DIRECTORIES) {
      root.createFolder(directory);
      root.folder(directory).close();
    }
  }

  private static Genesis genesis(Folder root, boolean create, String writer) throws IOException {
    byte[] found = root.read(Genesis.FILE, GENESIS_BYTES_MAX);
    if (found == null) {
      if (!create) {
        throw unusable(
            root.path(),
            root.path() + " is not a repository: it has no " + Genesis.FILE,
            "mount what belongs there; to make an empty directory into a repository, run"
                + " `quarry repo create`");
      }
      requireEmpty(root);
      write(root, writer);
      found = root.read(Genesis.FILE, GENESIS_BYTES_MAX);
    }
    if (found == null) {
      throw new IOException(root.path(Genesis.FILE) + " is gone as soon as it was made");
    }
    return parse(root.path(), found);
  }

  private static void requireEmpty(Folder root) throws IOException {
    for (String name : root.names()) {
      if (!HARMLESS.contains(name) && !isOurEmptyDirectory(root, name)) {
        throw unusable(
            root.path(),
            root.path() + " is neither a repository nor empty: it holds " + name,
            "use an empty directory");
      }
    }
  }

  /**
   * A creation that was interrupted has left the directory, or another host is making it right now.
   */
  private static boolean isOurEmptyDirectory(Folder root, String name) throws IOException {
    if (!DIRECTORIES.contains(name) || root.status(name).kind() != FileStatus.Kind.DIRECTORY) {
      return false;
    }
    if (name.equals(TEMPORARY)) {
      return true;
    }
    try (Folder directory = root.folder(name)) {
      return directory.names().stream()
          .allMatch(file -> name.equals("log") && file.equals(CommitLog.CREATED));
    }
  }

  /**
   * Several hosts may do this at once: the first link wins, and every host reads the winner's
   * record.
   */
  private static void write(Folder root, String writer) throws IOException {
    Genesis genesis =
        new Genesis(
            NAME,
            Genesis.VERSION,
            UUID.randomUUID().toString(),
            Instant.now().truncatedTo(ChronoUnit.MILLIS),
            secret(),
            Feature.KNOWN);
    makeDirectories(root);
    try (DirectorySlotStore slots = new DirectorySlotStore(Folder.open(root.path()), writer)) {
      CommitLog.create(slots);
    }
    // When another host is faster, its genesis counts.
    publish(root, genesis, (temporary, written) -> root.link(Genesis.FILE, temporary, written));
  }

  @Override
  public void rekey(Map<String, String> parameters) {
    checkParameters(parameters);
    Path path = Path.of(String.valueOf(parameters.get(PATH))).normalize();
    try (Folder root = Folder.open(path)) {
      byte[] found = root.read(Genesis.FILE, GENESIS_BYTES_MAX);
      if (found == null) {
        throw new IOException("it has no " + Genesis.FILE);
      }
      Genesis before = parse(path, found);
      Genesis after =
          new Genesis(
              before.format(),
              before.version(),
              UUID.randomUUID().toString(),
              before.createdAt(),
              secret(),
              before.features());
      // Replaces the record on purpose: the old key is the original's.
      publish(root, after, (temporary, written) -> root.rename(Genesis.FILE, temporary, written));
    } catch (IOException e) {
      throw unusable(
          path,
          path + " cannot be given a new key: " + e.getMessage(),
          "see that this host may write there");
    }
  }

  private interface Naming {
    void give(Folder temporary, String written) throws IOException;
  }

  private static void publish(Folder root, Genesis genesis, Naming naming) throws IOException {
    String written = "genesis." + UUID.randomUUID();
    try (Folder temporary = root.folder(TEMPORARY)) {
      try (NativeFile file = temporary.createNew(written, FileModes.SECRET)) {
        file.write(0, Json.MAPPER.writeValueAsBytes(genesis));
        file.sync();
        naming.give(temporary, written);
      } catch (FileFailure.Exists e) {
        return;
      } finally {
        temporary.remove(written);
      }
    }
    root.force();
  }

  private static String secret() {
    byte[] secret = new byte[SECRET_BYTES];
    new SecureRandom().nextBytes(secret);
    return HexFormat.of().formatHex(secret);
  }

  private static Genesis parse(Path root, byte[] bytes) throws IOException {
    Path file = root.resolve(Genesis.FILE);
    Genesis genesis;
    try {
      var json = Json.MAPPER.readTree(bytes);
      int version = json.path("version").asInt();
      String format = json.path("format").asText();
      if (!format.equals(NAME)) {
        throw unusable(
            root, root + " holds a repository of format " + format, "connect it as " + format);
      }
      if (version < Genesis.OLDEST_VERSION || version > Genesis.VERSION) {
        throw new StorageException(
            ErrorCode.AGENT_TOO_OLD,
            root + " has layout version " + version + ", this agent knows " + Genesis.VERSION,
            root.toString(),
            "upgrade this agent");
      }
      for (String field : GENESIS_FIELDS) {
        if (!json.path(field).isTextual()) {
          throw unusable(
              root,
              file + " is not a whole genesis record: it has no " + field,
              "restore that file; without it the repository has no name");
        }
      }
      genesis = Json.MAPPER.treeToValue(json, Genesis.class);
      List<Feature> missing =
          genesis.features().stream().filter(feature -> !feature.understood()).toList();
      if (!missing.isEmpty()) {
        throw new LogTooNewException(file.toString(), missing).refusal();
      }
    } catch (com.fasterxml.jackson.core.JacksonException e) {
      throw unusable(
          root,
          file + " cannot be read as a genesis record: " + e.getOriginalMessage(),
          "restore that file; without it the repository has no name");
    }
    return genesis;
  }

  private static StorageException unusable(Path root, String message, String remedy) {
    return new StorageException(ErrorCode.REPOSITORY_UNUSABLE, message, root.toString(), remedy);
  }
}
