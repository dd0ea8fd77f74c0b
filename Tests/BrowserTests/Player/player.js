"use strict";

// For each film of films.json: opens it as a file and through Media Source Extensions, seeks to each of its times, and
// compares what is shown with the reference at that time; then plays it through. The answers go back as one document.

const canvas = document.getElementById("canvas");
const context = canvas.getContext("2d", { willReadFrequently: true });
const patience = 20000;

function happening(target, name) {
    return new Promise((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error(`no ${name} came`)), patience);
        const done = action => event => {
            clearTimeout(timer);
            action(event);
        };
        target.addEventListener(name, done(resolve), { once: true });
        const fail = done(() => reject(new Error(target.error ? target.error.message : `an error before ${name}`)));
        target.addEventListener("error", fail, { once: true });
    });
}

async function openFile(video, film) {
    video.src = film.file;
    await happening(video, "loadeddata");
}

async function openFragments(video, film) {
    const type = `video/mp4; codecs="${film.codecs}"`;
    if (!MediaSource.isTypeSupported(type)) throw new Error(`${type} is not supported`);
    const source = new MediaSource();
    video.src = URL.createObjectURL(source);
    await happening(source, "sourceopen");
    const buffer = source.addSourceBuffer(type);
    const bytes = await (await fetch(film.fragments)).arrayBuffer();
    const piece = 64 << 10;
    for (let start = 0; start < bytes.byteLength; start += piece) {
        buffer.appendBuffer(bytes.slice(start, start + piece));
        await happening(buffer, "updateend");
        if (video.error) throw new Error(video.error.message);
    }
    source.endOfStream();
    if (video.readyState < 2) await happening(video, "loadeddata");
}

// A picture that was decoded, and its own time.
async function picture(video, time) {
    const shown = new Promise(resolve => video.requestVideoFrameCallback((_, frame) => resolve(frame.mediaTime)));
    const over = happening(video, "seeked");
    video.currentTime = time;
    await over;
    // Where the same picture is shown as before, none is presented anew.
    const mediaTime = await Promise.race([shown, new Promise(resolve => setTimeout(() => resolve(null), 1000))]);
    context.drawImage(video, 0, 0, canvas.width, canvas.height);
    return { mediaTime, pixels: context.getImageData(0, 0, canvas.width, canvas.height).data };
}

function difference(a, b) {
    let sum = 0;
    for (let i = 0; i < a.length; i++) if (i % 4 !== 3) sum += Math.abs(a[i] - b[i]);
    return sum / (a.length / 4 * 3);
}

async function playThrough(video) {
    video.currentTime = 0;
    await happening(video, "seeked");
    video.playbackRate = 4;
    const before = video.getVideoPlaybackQuality();
    const over = happening(video, "ended");
    await video.play();
    await over;
    const after = video.getVideoPlaybackQuality();
    return after.totalVideoFrames - before.totalVideoFrames;
}

async function watch(film, open) {
    const answer = { seeks: [] };
    const video = document.getElementById("film");
    const reference = document.getElementById("reference");
    try {
        await open(video, film);
        await openFile(reference, { file: film.reference });
        answer.duration = video.duration;
        answer.width = video.videoWidth;
        answer.height = video.videoHeight;
        for (const time of film.times) {
            const expected = await picture(reference, time);
            const made = await picture(video, time);
            answer.seeks.push({
                time, mediaTime: made.mediaTime, expectedTime: expected.mediaTime,
                difference: difference(made.pixels, expected.pixels),
            });
        }
        answer.played = await playThrough(video);
    } catch (error) {
        answer.error = String(error.message || error);
    }
    for (const element of [video, reference]) {
        element.removeAttribute("src");
        element.load();
    }
    return answer;
}

async function main() {
    const films = await (await fetch("films.json")).json();
    const answers = [];
    for (const film of films) {
        answers.push({ name: film.name, way: "file", ...await watch(film, openFile) });
        if (film.fragments) answers.push({ name: film.name, way: "fragments", ...await watch(film, openFragments) });
    }
    await fetch("answers", { method: "POST", body: JSON.stringify(answers) });
}

main().catch(error => fetch("answers", { method: "POST", body: JSON.stringify([{ error: String(error) }]) }));
