package io.quarry.agent.data.nbd;

/** Numbers of the NBD protocol, named as in its specification, and the limits of this client. */
final class NbdProtocol {
  static final long NBD_MAGIC = 0x4e42444d41474943L;
  static final long OPTION_MAGIC = 0x49484156454f5054L;
  static final long OPTION_REPLY_MAGIC = 0x3e889045565a9L;
  static final int REQUEST_MAGIC = 0x25609513;
  static final int SIMPLE_REPLY_MAGIC = 0x67446698;
  static final int STRUCTURED_REPLY_MAGIC = 0x668e33ef;

  static final int FLAG_FIXED_NEWSTYLE = 1;
  static final int FLAG_NO_ZEROES = 2;

  static final int OPT_GO = 7;
  static final int OPT_STRUCTURED_REPLY = 8;
  static final int OPT_SET_META_CONTEXT = 10;

  static final int REP_ACK = 1;
  static final int REP_INFO = 3;
  static final int REP_META_CONTEXT = 4;
  static final int INFO_EXPORT = 0;

  static final int EXPORT_READ_ONLY = 1 << 1;
  static final int EXPORT_SEND_FLUSH = 1 << 2;
  static final int EXPORT_SEND_WRITE_ZEROES = 1 << 6;
  static final int EXPORT_SEND_CACHE = 1 << 10;

  static final int CMD_READ = 0;
  static final int CMD_WRITE = 1;
  static final int CMD_DISC = 2;
  static final int CMD_FLUSH = 3;
  static final int CMD_CACHE = 5;
  static final int CMD_WRITE_ZEROES = 6;
  static final int CMD_BLOCK_STATUS = 7;
  static final int CMD_FLAG_NO_HOLE = 1 << 1;

  static final int REPLY_FLAG_DONE = 1;
  static final int REPLY_NONE = 0;
  static final int REPLY_OFFSET_DATA = 1;
  static final int REPLY_OFFSET_HOLE = 2;
  static final int REPLY_BLOCK_STATUS = 5;
  static final int REPLY_ERROR_BIT = 1 << 15;

  static final int REQUEST_BYTES = 28;

  /** The largest payload that qemu-nbd accepts and sends in one message. */
  static final int PAYLOAD_BYTES_MAX = 32 << 20;

  /** Requests without a payload carry a 32-bit length; this is the largest aligned one. */
  static final long RANGE_BYTES_MAX = (1L << 32) - (1 << 16);

  /**
   * The number of requests that qemu-nbd handles at once for a client; more would only wait in the
   * socket.
   */
  static final int IN_FLIGHT_MAX = 16;

  /** Names, error texts and option replies; all of them are short. */
  static final int TEXT_BYTES_MAX = 64 << 10;

  /** The answer to one question for block status: qemu-nbd gives at most 128 Ki extents. */
  static final int STATUS_BYTES_MAX = 2 << 20;

  private NbdProtocol() {}
}
