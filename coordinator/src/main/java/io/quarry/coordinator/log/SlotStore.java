package io.quarry.coordinator.log;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.List;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * A store of records and checkpoints under names that are put at most once. All calls block, and
 * run on the repository's own threads.
 */
public interface SlotStore {
  /** The outcome of a put. */
  enum Put {
    /** The name now holds the content, durably. */
    CREATED,
    /** The name was taken: by another process, or by this very put after a lost reply. */
    EXISTS
  }

  /**
   * Durably puts the content under the name if the name is free.
   *
   * @throws PutNotStartedException when the store certainly did not touch the name
   * @throws IOException when the outcome is unknown
   */
  Put putIfAbsent(String name, Content content) throws IOException;

  default Put putIfAbsent(String name, byte[] content) throws IOException {
    return putIfAbsent(name, out -> out.write(content));
  }

  /** Content that need not be in memory as a whole. */
  @FunctionalInterface
  interface Content {
    void writeTo(OutputStream out) throws IOException;
  }

  /** The whole content, or null when the name is free. */
  byte @Nullable [] read(String name) throws IOException;

  /** The whole content as a stream, or null when the name is free. Close the stream. */
  @Nullable InputStream open(String name) throws IOException;

  /** The first bytes of the content, or null when the name is free. */
  byte @Nullable [] readStart(String name, int bytes) throws IOException;

  /** All names, in no particular order. */
  List<String> list() throws IOException;

  /** Frees names, in the given order. Only for names that a checkpoint covers. */
  void delete(List<String> names) throws IOException;

  /** Makes the names and their content durable; missing names do not matter. */
  void force(List<String> names) throws IOException;

  /**
   * Notes the newest acknowledged sequence number. Not forced: the note only helps to find loss.
   */
  void writeHead(long sequence) throws IOException;

  /** The newest noted sequence number; empty when unknown. */
  OptionalLong readHead() throws IOException;

  /** How much of the reserve for a full storage a request may take. */
  enum Reserve {
    /** Opens and removals: a half stays for removals. */
    HALF(2),
    /** Removals alone. */
    ALL(0);

    private final int leftPart;

    Reserve(int leftPart) {
      this.leftPart = leftPart;
    }

    /** How much of that amount must be left. */
    public int left(int whole) {
      return leftPart == 0 ? 0 : whole / leftPart;
    }
  }

  /** Frees a part of the reserve for a full storage, space and names; false when there is none. */
  boolean releaseBallast(Reserve reserve) throws IOException;

  /** Builds the reserve again; false when the storage is too full for that. */
  boolean restoreBallast() throws IOException;

  /** Whether records fill a limited space so far that a checkpoint should come soon. */
  default boolean wantsCheckpoint() {
    return false;
  }

  /** The path of a name, for messages. */
  String describe(String name);
}
