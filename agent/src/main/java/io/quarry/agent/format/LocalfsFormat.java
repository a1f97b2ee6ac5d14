package io.quarry.agent.format;

import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.Json;
import io.quarry.common.api.StorageException;
import io.quarry.coordinator.log.CommitLog;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
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

  private Genesis genesis(Path root, boolean create, String writer) throws IOException {
    Path file = root.resolve(Genesis.FILE);
    if (!Files.exists(file)) {
      if (!create) {
        throw unusable(
            root,
            root + " is not a repository: it has no " + Genesis.FILE,
            "give create=true to make an empty directory into a repository");
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
    byte[] secret = new byte[SECRET_BYTES];
    new SecureRandom().nextBytes(secret);
    Genesis genesis =
        new Genesis(
            NAME,
            Genesis.VERSION,
            UUID.randomUUID().toString(),
            Instant.now().truncatedTo(ChronoUnit.MILLIS),
            HexFormat.of().formatHex(secret));
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
      if (version != Genesis.VERSION) {
        throw unusable(
            root,
            root + " has layout version " + version + ", this agent knows " + Genesis.VERSION,
            "use an agent that knows version " + version);
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
