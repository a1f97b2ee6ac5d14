package io.quarry.agent.data.nbd;

import io.quarry.agent.data.process.ToolLimits;
import io.quarry.agent.data.qemu.Chain;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * An image and how qemu-nbd opens the image.
 *
 * @param shared whether other processes may read the files during writes
 * @param clients how many connections the server accepts at the same time
 * @param limits for an image that comes from outside
 */
public record ServedImage(
    Chain chain,
    boolean writable,
    boolean shared,
    Cache cache,
    Aio aio,
    int clients,
    Optional<ToolLimits> limits) {
  /** How the server uses the page cache of the host. */
  public enum Cache {
    NONE("none"),
    WRITEBACK("writeback");

    private final String label;

    Cache(String label) {
      this.label = label;
    }
  }

  /** How the server does its input and output. */
  public enum Aio {
    THREADS("threads"),
    IO_URING("io_uring");

    private final String label;

    Aio(String label) {
      this.label = label;
    }
  }

  public ServedImage {
    if (clients < 1) {
      throw new IllegalArgumentException(clients + " clients");
    }
  }

  /** For copying. Reads go through the page cache, since a copied image was often just written. */
  public static ServedImage readOnly(Chain chain) {
    return new ServedImage(chain, false, false, Cache.WRITEBACK, Aio.THREADS, 1, Optional.empty());
  }

  /**
   * For changing the top of a chain; a flush is ten times cheaper with writes around the page
   * cache.
   */
  public static ServedImage writable(Chain chain) {
    return new ServedImage(chain, true, false, Cache.NONE, Aio.IO_URING, 1, Optional.empty());
  }

  /**
   * For writing into the top of a chain that other processes may read. Writes go through the page
   * cache: a raw file that is written around the cache can grow to a full block.
   */
  public static ServedImage shared(Chain chain) {
    return new ServedImage(chain, true, true, Cache.WRITEBACK, Aio.THREADS, 1, Optional.empty());
  }

  public ServedImage with(Cache newCache, Aio newAio) {
    return new ServedImage(chain, writable, shared, newCache, newAio, clients, limits);
  }

  public ServedImage withClients(int newClients) {
    return new ServedImage(chain, writable, shared, cache, aio, newClients, limits);
  }

  public ServedImage within(ToolLimits newLimits) {
    return new ServedImage(chain, writable, shared, cache, aio, clients, Optional.of(newLimits));
  }

  List<String> command(Path socket) {
    List<String> words = new ArrayList<>();
    limits.ifPresent(limit -> words.addAll(limit.prefix()));
    words.addAll(List.of("qemu-nbd", "--socket=" + socket, "--shared=" + clients));
    words.addAll(List.of("--cache=" + cache.label, "--aio=" + aio.label));
    words.addAll(List.of("--allocation-depth", "--discard=unmap"));
    if (!writable) {
      words.add("--read-only");
    }
    words.add(shared ? chain.sharedName() : chain.name(!writable));
    return words;
  }
}
