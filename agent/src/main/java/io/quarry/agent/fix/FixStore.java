package io.quarry.agent.fix;

import io.quarry.agent.format.RepositoryStorage;
import io.quarry.common.api.Json;
import io.quarry.coordinator.plan.FixState.Worker;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.util.Optional;
import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Claims and checkpoints of fixes on the storage: {@code fixes/<fixId>/claim.<epoch>} is linked, so
 * that exactly one worker gets an epoch; {@code progress.<epoch>} is replaced, by that worker
 * alone.
 */
public final class FixStore {
  private static final Pattern CLAIM = Pattern.compile("claim\\.(\\d{1,18})");
  private static final Pattern PROGRESS = Pattern.compile("progress\\.(\\d{1,18})");

  private final RepositoryStorage storage;

  /**
   * Who holds an epoch.
   *
   * @param worker the host and its life
   */
  public record ClaimFile(Worker worker, long epoch, Instant since) {}

  public FixStore(RepositoryStorage storage) {
    this.storage = storage;
  }

  /** The newest claim, or null when there never was one. */
  public @Nullable ClaimFile newestClaim(String fixId) throws IOException {
    long newest = newest(fixId, CLAIM);
    return newest == 0 ? null : claimOf(fixId, newest);
  }

  /** Who holds that epoch, or null when it was never claimed on the storage. */
  public @Nullable ClaimFile claimOf(String fixId, long epoch) throws IOException {
    return read(storage.fix(fixId).resolve("claim." + epoch), ClaimFile.class);
  }

  /** Takes the epoch for the worker, durably; empty when somebody else has it. */
  public Optional<ClaimFile> claim(String fixId, long epoch, Worker worker, Instant now)
      throws IOException {
    Path directory = storage.fix(fixId);
    if (!Files.isDirectory(directory)) {
      Files.createDirectories(directory);
      force(storage.fixes());
    }
    ClaimFile claim = new ClaimFile(worker, epoch, now);
    Path written = writeTemporary(claim);
    try {
      Files.createLink(directory.resolve("claim." + epoch), written);
      force(directory);
      return Optional.of(claim);
    } catch (FileAlreadyExistsException e) {
      return Optional.empty();
    } finally {
      Files.deleteIfExists(written);
    }
  }

  /** The progress of the newest epoch that has any, or null. */
  public @Nullable Checkpoint newestCheckpoint(String fixId) throws IOException {
    long newest = newest(fixId, PROGRESS);
    return newest == 0
        ? null
        : read(storage.fix(fixId).resolve("progress." + newest), Checkpoint.class);
  }

  /** Persists how far an epoch is, durably. What it says must be durable already. */
  public void save(String fixId, Checkpoint checkpoint) throws IOException {
    Path directory = storage.fix(fixId);
    Path written = writeTemporary(checkpoint);
    try {
      Files.move(
          written,
          directory.resolve("progress." + checkpoint.epoch()),
          StandardCopyOption.ATOMIC_MOVE);
      force(directory);
    } finally {
      Files.deleteIfExists(written);
    }
  }

  /** The fix is done: nobody needs its claims and checkpoints any more. */
  public void forget(String fixId) throws IOException {
    Path directory = storage.fix(fixId);
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(directory)) {
      for (Path entry : entries) {
        Files.deleteIfExists(entry);
      }
    } catch (NoSuchFileException | NotDirectoryException e) {
      return;
    } catch (DirectoryIteratorException e) {
      throw e.getCause();
    }
    Files.deleteIfExists(directory);
  }

  private long newest(String fixId, Pattern pattern) throws IOException {
    long newest = 0;
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(storage.fix(fixId))) {
      for (Path entry : entries) {
        Matcher matcher = pattern.matcher(String.valueOf(entry.getFileName()));
        if (matcher.matches()) {
          newest = Math.max(newest, Long.parseLong(matcher.group(1)));
        }
      }
    } catch (NoSuchFileException e) {
      return 0;
    } catch (DirectoryIteratorException e) {
      throw e.getCause();
    }
    return newest;
  }

  private static <T> @Nullable T read(Path file, Class<T> type) throws IOException {
    try {
      return Json.MAPPER.readValue(Files.readAllBytes(file), type);
    } catch (NoSuchFileException e) {
      return null;
    }
  }

  private Path writeTemporary(Object content) throws IOException {
    Path written = storage.temporary().resolve("fix." + UUID.randomUUID());
    try (FileChannel channel =
        FileChannel.open(written, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
      ByteBuffer bytes = ByteBuffer.wrap(Json.MAPPER.writeValueAsBytes(content));
      while (bytes.hasRemaining()) {
        channel.write(bytes);
      }
      channel.force(true);
    } catch (IOException e) {
      Files.deleteIfExists(written);
      throw e;
    }
    return written;
  }

  private static void force(Path directory) throws IOException {
    try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
      channel.force(true);
    }
  }
}
