package io.quarry.agent.format;

import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.Json;
import io.quarry.common.api.StorageException;
import io.quarry.coordinator.log.CommitLog;
import io.quarry.coordinator.log.DirectorySlotStore;
import io.quarry.coordinator.log.LogTooNewException;
import io.quarry.coordinator.plan.Feature;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.security.SecureRandom;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Stream;

/** A directory on any POSIX filesystem, also one that several hosts have mounted. */
final class LocalfsFormat implements RepositoryFormat {
  static final String NAME = "localfs-1.0";
  private static final String PATH = "path";
  private static final List<String> DIRECTORIES = List.of("log", "fixes", "volumes", "tmp");

  /** Without these a genesis record names nothing and signs nothing. */
  private static final List<String> GENESIS_FIELDS = List.of("key", "createdAt", "fixSecret");

  /** What a fresh filesystem may hold and still be called empty. */
  private static final Set<String> HARMLESS = Set.of("lost+found");

  private static final int SECRET_BYTES = 32;

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public void checkParameters(Map<String, String> parameters) {
    for (String name : parameters.keySet()) {
      if (!name.equals(PATH)) {
        throw StorageException.invalid(
            "connectionParameters." + name,
            NAME + " has no parameter " + name,
            "give just path, the repository's directory");
      }
    }
    String path = parameters.get(PATH);
    if (path == null || !path.startsWith("/") || path.indexOf('\0') >= 0) {
      throw StorageException.invalid(
          "connectionParameters.path",
          path == null ? "path is missing" : "path is not absolute: " + path,
          "give the absolute path of the repository's directory");
    }
  }

  @Override
  public RepositoryStorage connect(Map<String, String> parameters, boolean create, String writer) {
    checkParameters(parameters);
    Path root = Path.of(String.valueOf(parameters.get(PATH))).normalize();
    if (!Files.isDirectory(root)) {
      throw unusable(
          root, "there is no directory " + root, "make the directory, or mount what belongs there");
    }
    try {
      Genesis genesis = genesis(root, create, writer);
      for (String directory : DIRECTORIES) {
        Files.createDirectories(root.resolve(directory));
      }
      Probe.run(root.resolve("tmp"));
      return new RepositoryStorage(root, genesis, writer);
    } catch (IOException e) {
      throw unusable(
          root,
          root + " cannot be used: " + e.getMessage(),
          "see that this host may write there and that the filesystem has hard links and locks");
    }
  }

  @Override
  public void rekey(Map<String, String> parameters) {
    checkParameters(parameters);
    Path root = Path.of(String.valueOf(parameters.get(PATH))).normalize();
    Path file = root.resolve(Genesis.FILE);
    try {
      Genesis before = read(root, file);
      Genesis after =
          new Genesis(
              before.format(),
              before.version(),
              UUID.randomUUID().toString(),
              before.createdAt(),
              secret(),
              before.features());
      Path written = root.resolve("tmp").resolve("genesis." + UUID.randomUUID());
      try {
        Files.write(written, Json.MAPPER.writeValueAsBytes(after));
        force(written);
        // Replaces, on purpose: the old key is the original's.
        Files.move(written, file, StandardCopyOption.ATOMIC_MOVE);
      } finally {
        Files.deleteIfExists(written);
      }
      force(root);
    } catch (IOException e) {
      throw unusable(
          root,
          root + " cannot be given a new key: " + e.getMessage(),
          "see that this host may write there");
    }
  }

  private static String secret() {
    byte[] secret = new byte[SECRET_BYTES];
    new SecureRandom().nextBytes(secret);
    return HexFormat.of().formatHex(secret);
  }

  private Genesis genesis(Path root, boolean create, String writer) throws IOException {
    Path file = root.resolve(Genesis.FILE);
    if (!Files.exists(file)) {
      if (!create) {
        throw unusable(
            root,
            root + " is not a repository: it has no " + Genesis.FILE,
            "mount what belongs there; to make an empty directory into a repository, run"
                + " `quarry repo create`");
      }
      requireEmpty(root);
      write(root, file, writer);
    }
    return read(root, file);
  }

  private static void requireEmpty(Path root) throws IOException {
    try (Stream<Path> entries = Files.list(root)) {
      for (Path entry : entries.toList()) {
        String name = String.valueOf(entry.getFileName());
        if (!HARMLESS.contains(name) && !isOurEmptyDirectory(entry, name)) {
          throw unusable(
              root,
              root + " is neither a repository nor empty: it holds " + name,
              "use an empty directory");
        }
      }
    }
  }

  /** Left by a creation that was interrupted, or being made by another host right now. */
  private static boolean isOurEmptyDirectory(Path entry, String name) throws IOException {
    if (!DIRECTORIES.contains(name) || !Files.isDirectory(entry)) {
      return false;
    }
    if (name.equals("tmp")) {
      return true;
    }
    try (Stream<Path> inside = Files.list(entry)) {
      return inside.allMatch(file -> name.equals("log") && file.endsWith(CommitLog.CREATED));
    }
  }

  /** Hosts may do this at once: the first link wins and everybody reads what it put there. */
  private static void write(Path root, Path file, String writer) throws IOException {
    Genesis genesis =
        new Genesis(
            NAME,
            Genesis.VERSION,
            UUID.randomUUID().toString(),
            Instant.now().truncatedTo(ChronoUnit.MILLIS),
            secret(),
            Feature.KNOWN);
    for (String directory : DIRECTORIES) {
      Files.createDirectories(root.resolve(directory));
    }
    try (DirectorySlotStore slots = new DirectorySlotStore(root, writer)) {
      CommitLog.create(slots);
    }
    Path written = root.resolve("tmp").resolve("genesis." + UUID.randomUUID());
    try {
      Files.write(written, Json.MAPPER.writeValueAsBytes(genesis));
      force(written);
      Files.createLink(file, written);
    } catch (FileAlreadyExistsException e) {
      // Another host was faster; its genesis counts.
      return;
    } finally {
      Files.deleteIfExists(written);
    }
    force(root);
  }

  private static Genesis read(Path root, Path file) throws IOException {
    Genesis genesis;
    try {
      var json = Json.MAPPER.readTree(Files.readAllBytes(file));
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
    } catch (NoSuchFileException e) {
      throw e;
    } catch (com.fasterxml.jackson.core.JacksonException e) {
      throw unusable(
          root,
          file + " cannot be read as a genesis record: " + e.getOriginalMessage(),
          "restore that file; without it the repository has no name");
    }
    return genesis;
  }

  private static void force(Path path) throws IOException {
    try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
      channel.force(true);
    }
  }

  private static StorageException unusable(Path root, String message, String remedy) {
    return new StorageException(ErrorCode.REPOSITORY_UNUSABLE, message, root.toString(), remedy);
  }
}
