/**
 * To be imported before everything else by a process that mostly waits: the engine then prefers a small heap to a fast
 * one. A site's machine is there for the computation, and what an edge worker does is not done by its own JavaScript:
 * hashing, unzipping and TLS are native code.
 */
import { setFlagsFromString } from 'node:v8';

setFlagsFromString('--optimize-for-size');
