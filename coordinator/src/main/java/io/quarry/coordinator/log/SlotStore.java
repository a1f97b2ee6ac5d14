package io.quarry.coordinator.log;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.List;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * Where records and checkpoints are kept: names that are put at most once. All calls block, and run
 * on the repository's own threads.
 */
public interface SlotStore {
  /** What became of a put. */
  enum Put {
    /** The name now holds the content, durably. */
    CREATED,
    /** The name was taken: by somebody else, or by this very put after a lost reply. */
    EXISTS
  }

  /**
   * Durably puts the content under the name if the name is free.
   *
   * @throws PutNotStartedException when it is certain that the name was not touched
   * @throws IOException when nobody can know
   */
  Put putIfAbsent(String name, Content content) throws IOException;

  default Put putIfAbsent(String name, byte[] content) throws IOException {
    return putIfAbsent(name, out -> out.write(content));
  }

  /** Something to store that need not be in memory as a whole. */
  @FunctionalInterface
  interface Content {
    void writeTo(OutputStream out) throws IOException;
  }

  /** The whole content, or null when the name is free. */
  byte @Nullable [] read(String name) throws IOException;

  /** The whole content, piece by piece, or null when the name is free. To be closed. */
  @Nullable InputStream open(String name) throws IOException;

  /** The first bytes of the content, or null when the name is free. */
  byte @Nullable [] readStart(String name, int bytes) throws IOException;

  /** All names, in no particular order. */
  List<String> list() throws IOException;

  /** Frees names, in the given order. Only for what a checkpoint covers. */
  void delete(List<String> names) throws IOException;

  /** Makes durable which names there are, and what these hold; missing ones do not matter. */
  void force(List<String> names) throws IOException;

  /** Notes the newest acknowledged sequence number. Not forced: it only ever helps to find loss. */
  void writeHead(long sequence) throws IOException;

  /** The newest acknowledged sequence number that was noted; empty when it cannot be told. */
  OptionalLong readHead() throws IOException;

  /** Who may take how much of what is kept for a full storage, in the order of their turns. */
  enum Reserve {
    /** Opens and removals: a half stays for removals. */
    HALF(2),
    /** Removals alone. */
    ALL(0);

    private final int leftPart;

    Reserve(int leftPart) {
      this.leftPart = leftPart;
    }

    /** What is not to be taken of that much. */
    public int left(int whole) {
      return leftPart == 0 ? 0 : whole / leftPart;
    }
  }

  /** Frees some of what is kept for a full storage, space and names; false without any. */
  boolean releaseBallast(Reserve reserve) throws IOException;

  /** Keeps space and names for a full storage again; false when it is too full for that. */
  boolean restoreBallast() throws IOException;

  /** Where the store is, for messages. */
  String describe(String name);
}
